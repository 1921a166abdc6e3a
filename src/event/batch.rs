//! An invocation by S3 Batch Operations: objects that exist already, each to be answered with a result.
//!
//! The request: Amazon S3 User Guide, "Invoke AWS Lambda function"; schema 2.0, which has
//! the bucket's name instead of its ARN and the job's `userArguments`: AWS Storage Blog, "Automate
//! object processing in Amazon S3 directory buckets with S3 Batch Operations and AWS Lambda".

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::key::Encoding;
use super::notice::{self, Change, RawObject};
use super::{Record, text};

/// An invocation by S3 Batch Operations.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Version of the request's schema, which the answer repeats.
    pub schema_version: String,
    /// Invocation ID, which the answer repeats.
    pub invocation_id: String,
    /// Tasks, in the order of their results in the answer.
    pub tasks: Vec<Task>,
}

/// An object of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Task ID, which its result repeats.
    pub id: String,
    /// The object, to be treated as if it came now, or why the task is unreadable.
    pub record: Record,
}

/// What is asked of a task, in both schemas.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object about a task")]
struct Fields {
    s3_key: Option<String>,
    s3_version_id: Option<String>,
    s3_bucket: Option<String>,
    s3_bucket_arn: Option<String>,
}

/// `None` if the payload is no invocation by S3 Batch Operations.
///
/// # Errors
/// What such an invocation lacks.
pub(super) fn read(payload: &Value) -> Option<Result<Job, String>> {
    let schema_version = text(payload, "invocationSchemaVersion")?.to_owned();
    let without = |what| format!("the invocation by S3 Batch Operations has no {what}");
    let Some(invocation_id) = text(payload, "invocationId").map(str::to_owned) else {
        return Some(Err(without("invocationId")));
    };
    let Some(tasks) = payload.get("tasks").and_then(Value::as_array) else {
        return Some(Err(without("tasks")));
    };
    let frame = frame(payload);
    let tasks = tasks.iter().map(|task| read_task(task, &frame)).collect();
    Some(Ok(Job { schema_version, invocation_id, tasks }))
}

/// All of the invocation but its tasks.
fn frame(payload: &Value) -> Map<String, Value> {
    let fields = payload.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| *name != "tasks")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn read_task(task: &Value, frame: &Map<String, Value>) -> Task {
    let mut alone = frame.clone();
    alone.insert("tasks".to_owned(), json!([task]));
    Task {
        id: text(task, "taskId").unwrap_or_default().to_owned(),
        record: notice::record(Change::Created, parse(task), Value::Object(alone)),
    }
}

fn parse(task: &Value) -> Result<RawObject, String> {
    let fields = Fields::deserialize(task)
        .map_err(|error| format!("the task is none of S3 Batch Operations: {error}"))?;
    let bucket_of_arn = || fields.s3_bucket_arn.as_deref().and_then(bucket_name);
    Ok(RawObject {
        sender: "task of S3 Batch Operations",
        bucket: fields.s3_bucket.or_else(bucket_of_arn),
        key: fields.s3_key,
        // "Keys from S3 Batch Operations are URL encoded" (User Guide), but its two samples disagree:
        // unquote for keys, unquote_plus for texts in place of keys. AWS's own Powertools for Lambda
        // tested it: a manifest's `%20` comes as `+` (powertools-lambda-python, pull request 3572),
        // so its S3BatchOperationTask.s3_key is read by unquote_plus. A plus comes as `%2B` in either
        // encoding.
        encoding: Encoding::Form,
        size: None,
        etag: None,
        version_id: fields.s3_version_id,
        sequencer: None,
        time: None,
    })
}

/// The last part of `arn:aws:s3:::bucket`; the guide's older samples have a region and an account in
/// it.
fn bucket_name(arn: &str) -> Option<String> {
    let (_, name) = arn.strip_prefix("arn:")?.rsplit_once(':')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::super::{Event, Notice, read as read_event};
    use super::*;

    fn job(payload: &Value) -> Job {
        match read_event(payload) {
            Ok(Event::Job(job)) => job,
            other => panic!("{other:?}"),
        }
    }

    fn object(task: &Task) -> &Notice {
        let Record::Notice(notice) = &task.record else { panic!("{task:?}") };
        notice
    }

    /// The sample with one field of its task set to `value`.
    fn changed(name: &str, field: &str, value: Value) -> Job {
        let mut payload = sample(name);
        payload["tasks"][0][field] = value;
        job(&payload)
    }

    #[test]
    fn a_task_of_either_schema_is_an_object_to_make_a_thumbnail_of() {
        for name in ["batch-1.0", "batch-2.0"] {
            let expected = Notice {
                change: Change::Created,
                bucket: "photos-originals-000000000000".to_owned(),
                key: "tokyo/ref-5323x8000.jpg".to_owned(),
                size: None,
                etag: None,
                version_id: None,
                sequencer: None,
                time: None,
                payload: sample(name),
            };
            let job = job(&sample(name));
            let [task] = job.tasks.as_slice() else { panic!("{name}: {job:?}") };
            assert_eq!(task.id, "dGFza2lkZ29lc2hlcmUK");
            assert_eq!(object(task), &expected, "{name}");
        }
    }

    #[test]
    fn a_plus_in_a_key_is_a_space() {
        let job = changed("batch-1.0", "s3Key", "red+flower%2Bblue.jpg".into());
        assert_eq!(object(&job.tasks[0]).key, "red flower+blue.jpg");
    }

    #[test]
    fn the_bucket_is_the_last_part_of_its_arn() {
        for arn in ["arn:aws:s3:::a", "arn:aws-cn:s3:::a", "arn:aws:s3:us-east-1:0123456788:a"] {
            let job = changed("batch-1.0", "s3BucketArn", arn.into());
            assert_eq!(object(&job.tasks[0]).bucket, "a", "{arn}");
        }
    }

    #[test]
    fn a_version_is_kept_and_an_empty_one_is_none() {
        for (version, expected) in [("", None), ("v1", Some("v1"))] {
            let job = changed("batch-2.0", "s3VersionId", version.into());
            assert_eq!(object(&job.tasks[0]).version_id.as_deref(), expected);
        }
    }

    #[test]
    fn a_task_without_bucket_or_key_is_unreadable_and_hides_no_other() {
        for (field, value) in [
            ("s3Key", json!("")),
            ("s3Key", json!("%FF")),
            ("s3Key", json!(7)),
            ("s3Key", Value::Null),
            ("s3BucketArn", json!("no ARN")),
            ("s3BucketArn", json!("arn:aws:s3:::")),
            ("s3BucketArn", Value::Null),
        ] {
            let mut payload = sample("batch-1.0");
            let good = payload["tasks"][0].clone();
            payload["tasks"][0][field] = value.clone();
            let alone = payload.clone();
            payload["tasks"].as_array_mut().unwrap().extend([Value::Null, good]);
            let job = job(&payload);
            let [bad, null, good] = job.tasks.as_slice() else { panic!("{job:?}") };
            let Record::Unreadable { payload, .. } = &bad.record else {
                panic!("{field} {value}: {bad:?}");
            };
            assert_eq!((bad.id.as_str(), payload), ("dGFza2lkZ29lc2hlcmUK", &alone));
            assert!(matches!(null.record, Record::Unreadable { .. }), "{null:?}");
            assert_eq!(object(good).payload, sample("batch-1.0"));
        }
    }

    #[test]
    fn an_invocation_that_cannot_be_answered_is_refused() {
        for (field, value) in [("tasks", json!("none")), ("invocationId", Value::Null)] {
            let mut payload = sample("batch-1.0");
            payload[field] = value;
            let message = read_event(&payload).unwrap_err();
            assert!(
                message.contains("S3 Batch Operations") && message.contains(field),
                "{message}"
            );
        }
    }
}
