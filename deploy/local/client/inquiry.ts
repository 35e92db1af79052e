// The first journey of the README, an inquiry at the desk, with a client generated from the API document.
//
// It reads what `deploy/local/up` writes to .local/steward.env: STEWARD_URL, STEWARD_TOKEN_RECEPTIONIST, STEWARD_TOKEN_OWNER,
// STEWARD_ESTATE_ID, STEWARD_UNIT_ID, STEWARD_RESIDENT_ID.

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./steward.js";

type Problem = components["schemas"]["Problem"];

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function client(token: string): Client<paths> {
  return createClient<paths>({ baseUrl: setting("STEWARD_URL"), headers: { Authorization: `Bearer ${token}` } });
}

/** What was answered; a problem ends the journey with its code. */
function good<T>(answer: { data?: T; error?: Problem; response: Response }): T {
  if (answer.error) throw new Error(`${answer.response.url}: ${answer.error.status} ${answer.error.code}`);
  if (answer.data === undefined) throw new Error(`${answer.response.url}: ${answer.response.status} without a body`);
  return answer.data;
}

const desk = client(setting("STEWARD_TOKEN_RECEPTIONIST"));
const owner = client(setting("STEWARD_TOKEN_OWNER"));
const place = { estate_id: setting("STEWARD_ESTATE_ID"), unit_id: setting("STEWARD_UNIT_ID") };
const resident = { resident_id: setting("STEWARD_RESIDENT_ID") };

const visit = good(await desk.POST("/v1/visits", { body: { estate_id: place.estate_id, ...resident } }));
const atVisit = { params: { path: { visit_id: visit.visit_id } }, body: {} };
good(await desk.POST("/v1/visits/{visit_id}/call", atVisit));
good(await desk.POST("/v1/visits/{visit_id}/serve", atVisit));

const words = { kind: "inquiry", category: "parking.service", words: "月卡怎么办？", channel: "desk" } as const;
const opened = good(await desk.POST("/v1/cases", { body: { ...words, ...place, ...resident, visit_id: visit.visit_id } }));
const atCase = { params: { path: { case_id: opened.case_id } } };

const query = { category: "parking.service", estate_id: place.estate_id };
const article = good(await desk.GET("/v1/articles", { params: { query } })).items[0];
if (!article) throw new Error("the handbook says nothing of parking");
const answer = { article_id: article.article_id, text: "带行驶证来办就行。" };
good(await desk.POST("/v1/inquiries/{case_id}/answer", { ...atCase, body: answer }));
good(await desk.POST("/v1/visits/{visit_id}/finish", atVisit));
good(await owner.POST("/v1/inquiries/{case_id}/close", { ...atCase, body: {} }));

const timeline = good(await owner.GET("/v1/cases/{case_id}/timeline", atCase));
console.log(timeline.items.map((step) => step.code).join(" "));

// What is known is not sent again.
const read = await owner.GET("/v1/cases/{case_id}", atCase);
const etag = read.response.headers.get("etag") ?? "";
const again = await owner.GET("/v1/cases/{case_id}", {
  params: { ...atCase.params, header: { "If-None-Match": etag } },
});
console.log(good(read).status, again.response.status);

// What is refused says why: an owner does not speak at the desk through the app.
const refused = await owner.POST("/v1/cases", { body: { ...words, ...place } });
console.log(refused.error?.code ?? refused.response.status);
