# Written by `make generate` from the template.

locals {
  parameters = {
    Architecture            = var.architecture
    MemorySize              = var.memory_size
    TimeoutSeconds          = var.timeout_seconds
    ReservedConcurrency     = var.reserved_concurrency
    Queue                   = var.queue
    QueueWindowSeconds      = var.queue_window_seconds
    QueueMaximumConcurrency = var.queue_maximum_concurrency
    QueueVisibilitySeconds  = var.queue_visibility_seconds
    ExistingOriginalsBucket = var.existing_originals_bucket
    OriginalsKmsKeyArn      = var.originals_kms_key_arn
    OriginalsPrefix         = var.originals_prefix
    ThumbnailsPrefix        = var.thumbnails_prefix
    Renditions              = var.renditions
    Resampling              = var.resampling
    Heic                    = var.heic
    CacheControl            = var.cache_control
    DeliveryPublicKey       = var.delivery_public_key
    DeliveryPublicKey2      = var.delivery_public_key2
    DeliveryDomain          = var.delivery_domain
    DeliveryCertificateArn  = var.delivery_certificate_arn
    UploadUrlTtlSeconds     = var.upload_url_ttl_seconds
    UploadOrigins           = join(",", var.upload_origins)
    OriginalsStorageClass   = var.originals_storage_class
    FindDuplicates          = var.find_duplicates
    MaxPhotoBytes           = var.max_photo_bytes
    MaxPhotoPixels          = var.max_photo_pixels
    DeleteWithOriginal      = var.delete_with_original
    KeepOldVersionsDays     = var.keep_old_versions_days
    Location                = var.location
    LogLevel                = var.log_level
    LogRetentionDays        = var.log_retention_days
    Tracing                 = var.tracing
    Backfill                = var.backfill
    Notices                 = var.notices
    TableDeletionProtection = var.table_deletion_protection
    AlarmEmail              = var.alarm_email
  }
}
