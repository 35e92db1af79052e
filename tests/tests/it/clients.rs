//! A client generated from the API document carries out the first journey of the README.

use std::process::Stdio;

use steward_e2e::estate::{Estate, with_estate};
use steward_kernel::{ActorId, Role};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a generated client: deploy/local/clients makes it and runs this"]
async fn a_generated_client_carries_an_inquiry_from_the_desk_to_its_end() {
    let program = std::env::var("STEWARD_TEST_CLIENT").expect("STEWARD_TEST_CLIENT is not set");
    with_estate(async |e: Estate| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(axum::serve(listener, e.kit.router.clone()).into_future());
        let mut owner = e.kit.staff(Role::Owner);
        owner.id = ActorId::new(e.resident.to_string());
        owner.resident = Some(e.resident.into());
        let run = tokio::process::Command::new("node")
            .arg(program)
            .env("STEWARD_URL", url)
            .env("STEWARD_TOKEN_RECEPTIONIST", e.kit.token(&e.kit.staff(Role::Receptionist)))
            .env("STEWARD_TOKEN_OWNER", e.kit.token(&owner))
            .env("STEWARD_ESTATE_ID", &e.id)
            .env("STEWARD_UNIT_ID", &e.unit)
            .env("STEWARD_RESIDENT_ID", e.resident.to_string())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        server.abort();
        let (said, failed) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{said}{failed}");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 3, "{said}{failed}");
        // That its owner is asked how it went may stand behind it already.
        assert!(lines[0].starts_with("received ") && lines[0].split(' ').any(|step| step == "closed"), "{said}");
        assert_eq!(lines[1], "closed 304");
        assert!(lines[2].contains('/'), "the code of a refusal: {said}");
    })
    .await;
}
