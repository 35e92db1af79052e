//! The streams in JetStream and who listens to them: one stream for each service, one durable consumer for each pair of listener and source.
//!
//! On a developer's machine each service makes what it needs. Where services have rights of their own they may not: who can make a
//! stream or a consumer can have it read and write any subject. There `steward streams` makes them, under an identity of its own.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::{
    self, ErrorCode,
    consumer::{PullConsumer, pull},
    context::GetStreamErrorKind,
    stream::{self, Stream},
};

use crate::messages::Messages;

/// For how long JetStream itself discards a message with an id it has seen; a help, not the guarantee.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);
/// Messages under way before JetStream waits for acknowledgements.
const MAX_UNDER_WAY: i64 = 20_000;
/// How often a stream that was made from what is left of another is made anew, and the pause before it.
const AGAIN: (u32, Duration) = (10, Duration::from_millis(200));
/// How long JetStream waits for an acknowledgement before it delivers again.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// How streams are kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// How long a stream keeps events; older ones are still in the event log.
    pub keep: Duration,
    /// Servers that hold each stream: 1, 3 or 5.
    pub replicas: usize,
}

/// Durable name of a consumer: `<listener>--<source>`.
#[must_use]
pub fn durable(listener: &str, source: &str) -> String {
    format!("{listener}--{source}")
}

impl Messages {
    /// The stream of that service, made or brought up to date.
    ///
    /// # Errors
    /// When NATS is away, or refuses.
    pub async fn ensure_stream(&self, service: &str, keeping: Keeping) -> anyhow::Result<Stream> {
        let wanted = stream::Config {
            name: self.subjects.stream(service),
            subjects: vec![self.subjects.everything_of(service)],
            max_age: keeping.keep,
            duplicate_window: DUPLICATE_WINDOW,
            num_replicas: keeping.replicas,
            ..stream::Config::default()
        };
        let stream = match self.js.get_stream(&wanted.name).await {
            Ok(stream) => stream,
            Err(fault) if is_missing(&fault) => return self.new_stream(&wanted).await,
            Err(fault) => return Err(fault.into()),
        };
        let known = &stream.cached_info().config;
        if (&known.subjects, known.max_age, known.num_replicas)
            != (&wanted.subjects, wanted.max_age, wanted.num_replicas)
            || is_limited(known)
        {
            self.js.update_stream(&wanted).await?;
        }
        Ok(stream)
    }

    /// Makes a stream that is not there. A server that is still removing one of that name may make it from the files that are left: it has a
    /// past then and takes nothing, for ever (seen with nats-server 2.15.1 on a busy machine). Such a one is deleted and made once more.
    async fn new_stream(&self, wanted: &stream::Config) -> anyhow::Result<Stream> {
        for _ in 0..AGAIN.0 {
            let stream = self.js.create_stream(wanted).await?;
            if stream.cached_info().state.first_sequence <= 1 {
                return Ok(stream);
            }
            tracing::warn!(stream = wanted.name, "the new stream has a past; it is made once more");
            self.js.delete_stream(&wanted.name).await?;
            tokio::time::sleep(AGAIN.1).await;
        }
        anyhow::bail!("the message server makes stream {} from what is left of another", wanted.name)
    }

    /// The consumer of that listener on the stream of that source, made or brought up to date.
    ///
    /// # Errors
    /// When NATS is away, refuses, or there is no such stream.
    pub async fn ensure_consumer(&self, listener: &str, source: &str) -> anyhow::Result<PullConsumer> {
        let stream = self.js.get_stream_no_info(self.subjects.stream(source)).await?;
        let config = pull::Config {
            durable_name: Some(durable(listener, source)),
            filter_subjects: self.subjects.heard_by(listener, source),
            ack_wait: ACK_WAIT,
            max_ack_pending: MAX_UNDER_WAY,
            ..pull::Config::default()
        };
        Ok(stream.create_consumer(config).await?)
    }

    /// Deletes the stream of that service with all its consumers, if it is there.
    ///
    /// # Errors
    /// When NATS is away, or refuses.
    pub async fn delete_stream(&self, service: &str) -> anyhow::Result<()> {
        match self.js.delete_stream(self.subjects.stream(service)).await {
            Ok(_) => Ok(()),
            Err(fault)
                if self.js.get_stream(self.subjects.stream(service)).await.is_err_and(|fault| is_missing(&fault)) =>
            {
                tracing::debug!(error = %fault, "there was no stream");
                Ok(())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// The stream that this service publishes to.
    pub(crate) async fn own_stream(&self, service: &str, keep: Duration) -> anyhow::Result<Stream> {
        if self.manages_streams {
            return self.ensure_stream(service, Keeping { keep, replicas: 1 }).await;
        }
        self.js.get_stream(self.subjects.stream(service)).await.context("no stream; `steward streams` makes it")
    }

    /// The oldest sequence that the stream of that service has.
    pub(crate) async fn first_sequence(&self, service: &str) -> anyhow::Result<u64> {
        let stream = self.js.get_stream(self.subjects.stream(service)).await?;
        let state = &stream.cached_info().state;
        Ok(if state.messages == 0 { state.last_sequence + 1 } else { state.first_sequence })
    }

    /// What this listener pulls from.
    pub(crate) async fn consumer(&self, listener: &str, source: &str) -> anyhow::Result<PullConsumer> {
        if self.manages_streams {
            return self.ensure_consumer(listener, source).await;
        }
        let stream = self.js.get_stream_no_info(self.subjects.stream(source)).await?;
        let consumer = stream.get_consumer(&durable(listener, source)).await;
        consumer.map_err(|fault| anyhow::anyhow!("no consumer; `steward streams` makes it: {fault}"))
    }
}

/// Whether a stream has a limit, which nobody asked for, on anything but the age of its messages: then it loses them before their time.
pub(crate) fn is_limited(config: &stream::Config) -> bool {
    config.max_bytes > 0 || config.max_messages > 0 || config.max_messages_per_subject > 0
}

fn is_missing(fault: &jetstream::context::GetStreamError) -> bool {
    matches!(fault.kind(), GetStreamErrorKind::JetStream(problem) if problem.error_code() == ErrorCode::STREAM_NOT_FOUND)
}
