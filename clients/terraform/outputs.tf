# Written by `make generate` from the template.

output "originals_bucket_name" {
  description = "The bucket to put photos into."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "OriginalsBucketName", null)
}

output "thumbnails_bucket_name" {
  description = "The bucket of the renditions."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "ThumbnailsBucketName", null)
}

output "photos_table_name" {
  description = "The table with one item for each photo, its facts and the keys of its renditions."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "PhotosTableName", null)
}

output "photos_table_stream_arn" {
  description = "The table's stream, which says at once that a photo is READY."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "PhotosTableStreamArn", null)
}

output "dead_letter_queue_url" {
  description = "The queue of the events that could not be processed, with the reasons."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "DeadLetterQueueUrl", null)
}

output "delivery_queue_url" {
  description = "The queue between S3 and the function."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "DeliveryQueueUrl", null)
}

output "thumbnail_function_name" {
  description = "The function that processes the photos."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "ThumbnailFunctionName", null)
}

output "thumbnail_function_arn" {
  description = "The function's ARN, for other sources of events such as S3 Batch Operations."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "ThumbnailFunctionArn", null)
}

output "backfill_role_arn" {
  description = "The role of the jobs of S3 Batch Operations."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "BackfillRoleArn", null)
}

output "backfill_bucket_name" {
  description = "The bucket of the lists and reports of these jobs."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "BackfillBucketName", null)
}

output "delivery_domain_name" {
  description = "CloudFront's domain for the renditions. DeliveryDomain has to be a CNAME of it."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "DeliveryDomainName", null)
}

output "delivery_distribution_id" {
  description = "The distribution, for invalidations."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "DeliveryDistributionId", null)
}

output "delivery_key_pair_id" {
  description = "The ID of DeliveryPublicKey, for whoever signs with its private key."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "DeliveryKeyPairId", null)
}

output "delivery_key_pair_id2" {
  description = "The ID of DeliveryPublicKey2."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "DeliveryKeyPairId2", null)
}

output "notices_topic_arn" {
  description = "The topic that tells of every photo that is ready, has failed or was removed."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "NoticesTopicArn", null)
}

output "notice_letters_url" {
  description = "The queue of the notices that could not be published."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "NoticeLettersUrl", null)
}

output "alarms_topic_arn" {
  description = "The topic of the alarms."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "AlarmsTopicArn", null)
}

output "dashboard_url" {
  description = "The dashboard. It shows photos by outcome, time by step, memory and dead letters."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "DashboardUrl", null)
}

output "upload_url_function_url" {
  description = "The URL that answers signed POST requests with upload URLs."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "UploadUrlFunctionUrl", null)
}

output "upload_url_function_name" {
  description = "The function that gives out upload URLs."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "UploadUrlFunctionName", null)
}

output "upload_url_callers_policy_arn" {
  description = "The policy for the role of the server that requests upload URLs."
  value       = lookup(aws_cloudformation_stack.photos.outputs, "UploadUrlCallersPolicyArn", null)
}
