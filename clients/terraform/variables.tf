# Written by `make generate` from the template.

variable "architecture" {
  description = "Processor that the functions are built for and run on."
  type        = string
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The value must be one of x86_64, arm64."
  }
}

variable "memory_size" {
  description = "Memory of the function in MB. Lambda gives CPU in proportion to it: 1769 MB is one whole vCPU."
  type        = number
  default     = 1769
  nullable    = false

  validation {
    condition     = var.memory_size >= 256 && var.memory_size <= 10240
    error_message = "The value must be from 256 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda stops an invocation and tries its event again."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 5 && var.timeout_seconds <= 900
    error_message = "The value must be from 5 to 900."
  }
}

variable "reserved_concurrency" {
  description = "The most events that are processed at once. So much concurrency is reserved for this function. 0 for the account's limit only."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.reserved_concurrency >= 0 && var.reserved_concurrency <= 10000
    error_message = "The value must be from 0 to 10000."
  }
}

variable "queue" {
  description = "true puts a queue between S3 and the function, which takes batches of ten photos from it: for bursts that are larger than the account's concurrency. See docs/operations.md."
  type        = bool
  default     = false
  nullable    = false
}

variable "queue_window_seconds" {
  description = "Seconds for which Lambda waits until a batch of the queue is full. Batches cost less, but photos wait."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.queue_window_seconds >= 0 && var.queue_window_seconds <= 5
    error_message = "The value must be from 0 to 5."
  }
}

variable "queue_maximum_concurrency" {
  description = "The most batches of the queue that are processed at once. 0 for the account's limit only."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.queue_maximum_concurrency >= 0 && var.queue_maximum_concurrency <= 1000
    error_message = "The value must be from 0 to 1000."
  }
}

variable "queue_visibility_seconds" {
  description = "Seconds after which a message of the queue that was not done is tried again, at least six times TimeoutSeconds."
  type        = number
  default     = 360
  nullable    = false

  validation {
    condition     = var.queue_visibility_seconds >= 30 && var.queue_visibility_seconds <= 43200
    error_message = "The value must be from 30 to 43200."
  }
}

variable "existing_originals_bucket" {
  description = "A bucket that exists already and holds the photos, instead of a new one. Turn on its notifications to EventBridge. Empty for a new bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(?:([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?)$", var.existing_originals_bucket))
    error_message = "The value must be the name of a bucket, or empty."
  }
}

variable "originals_kms_key_arn" {
  description = "ARN of the KMS key that the originals are encrypted with, in a new bucket or in the existing one. Empty for S3's own keys."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(?:(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?)$", var.originals_kms_key_arn))
    error_message = "The value must be the ARN of a KMS key, or empty."
  }
}

variable "originals_prefix" {
  description = "Only keys below this prefix are photos, for example \"uploads/\". Empty for all keys."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.originals_prefix) <= 200 && can(regex("^(?:[A-Za-z0-9!_.'()/-]*)$", var.originals_prefix))
    error_message = "The value must be at most 200 letters, digits and !_.'()/- only."
  }
}

variable "thumbnails_prefix" {
  description = "Beginning of every rendition's key. The rendition's name, a slash and the original's key follow."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.thumbnails_prefix) <= 200 && can(regex("^(?:[A-Za-z0-9!_.'()/-]*)$", var.thumbnails_prefix))
    error_message = "The value must be at most 200 letters, digits and !_.'()/- only."
  }
}

variable "renditions" {
  description = "What is made of each photo: 1 to 8 renditions with \";\" between them, the default one first, each \"name: size [quality=Q] [format=F]\". The name is a part of the key. The size is scale=S (a fraction of both sides), fit=N or fit=WxH (inside of that box) or cover=WxH (fills it). Q is the quality from 0.01 to 1, F is jpeg or webp, or original with strip=location or strip=all. See docs/configuration.md."
  type        = string
  default     = "thumbnail: scale=0.25 quality=0.9"
  nullable    = false

  validation {
    condition     = can(regex("^(?:[a-z][a-z0-9-]{0,31} *:[a-z0-9=. ]+( *; *[a-z][a-z0-9-]{0,31} *:[a-z0-9=. ]+){0,7})$", var.renditions))
    error_message = "The value must be like thumbnail: scale=0.25 quality=0.9; grid: fit=400."
  }
}

variable "resampling" {
  description = "best is not worse than Thumbnailator. fast takes a third less CPU time, at lower quality."
  type        = string
  default     = "best"
  nullable    = false

  validation {
    condition     = contains(["best", "fast"], var.resampling)
    error_message = "The value must be one of best, fast."
  }
}

variable "heic" {
  description = "decode makes thumbnails of HEIC, which iPhones write. refuse stores its facts only and gives it no upload URL: HEVC, its coding, is patented."
  type        = string
  default     = "decode"
  nullable    = false

  validation {
    condition     = contains(["decode", "refuse"], var.heic)
    error_message = "The value must be one of decode, refuse."
  }
}

variable "cache_control" {
  description = "Cache-Control of the renditions, for example \"public, max-age=86400\". Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(?:[ -~]*)$", var.cache_control))
    error_message = "The value must be ASCII letters, digits, signs and spaces only."
  }
}

variable "delivery_public_key" {
  description = "A public key as PEM, RSA 2048 or ECDSA P-256. Browsers then get the renditions from CloudFront, with cookies that its private key has signed. Empty for no CloudFront. See docs/delivery.md."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(?:(-----BEGIN PUBLIC KEY-----\\r?\\n([A-Za-z0-9+/=]+\\r?\\n)+-----END PUBLIC KEY-----\\s*)?)$", var.delivery_public_key))
    error_message = "The value must be a PEM that begins with -----BEGIN PUBLIC KEY-----, with its line breaks, or empty."
  }
}

variable "delivery_public_key2" {
  description = "Another such key. CloudFront takes cookies of either, so that one can take the other's place. Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(?:(-----BEGIN PUBLIC KEY-----\\r?\\n([A-Za-z0-9+/=]+\\r?\\n)+-----END PUBLIC KEY-----\\s*)?)$", var.delivery_public_key2))
    error_message = "The value must be a PEM that begins with -----BEGIN PUBLIC KEY-----, with its line breaks, or empty."
  }
}

variable "delivery_domain" {
  description = "A domain of yours for the renditions, for example \"photos.example.com\": your pages cannot set cookies for CloudFront's own domain. Needs DeliveryCertificateArn. Empty for CloudFront's own."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(?:([a-z0-9-]+([.][a-z0-9-]+)+)?)$", var.delivery_domain))
    error_message = "The value must be a domain in lower case, or empty."
  }
}

variable "delivery_certificate_arn" {
  description = "ARN of a certificate for DeliveryDomain. CloudFront takes those of us-east-1 only."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(?:(arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/[A-Za-z0-9-]+)?)$", var.delivery_certificate_arn))
    error_message = "The value must be the ARN of a certificate in us-east-1, or empty."
  }
}

variable "upload_url_ttl_seconds" {
  description = "Seconds for which an upload URL can be used."
  type        = number
  default     = 900
  nullable    = false

  validation {
    condition     = var.upload_url_ttl_seconds >= 1 && var.upload_url_ttl_seconds <= 43200
    error_message = "The value must be from 1 to 43200."
  }
}

variable "upload_origins" {
  description = "Web pages from which browsers may upload, for example \"https://example.com,https://www.example.com\". All by default, because the upload URL itself is the permission."
  type        = list(string)
  default     = ["*"]
  nullable    = false
}

variable "originals_storage_class" {
  description = "Storage class of the originals that are uploaded by upload URLs. INTELLIGENT_TIERING costs less for photos that nobody opens for a month, see docs/performance.md."
  type        = string
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "INTELLIGENT_TIERING"], var.originals_storage_class)
    error_message = "The value must be one of STANDARD, INTELLIGENT_TIERING."
  }
}

variable "find_duplicates" {
  description = "true keeps an index of the photos' contents, by which the upload-url function finds a photo that was uploaded before (\"ifNew\": true). It adds a write to each photo."
  type        = bool
  default     = false
  nullable    = false
}

variable "max_photo_bytes" {
  description = "Largest original in bytes. Larger ones get no upload URL, and are refused before they are downloaded."
  type        = number
  default     = 104857600
  nullable    = false

  validation {
    condition     = var.max_photo_bytes >= 1
    error_message = "The value must be at least 1."
  }
}

variable "max_photo_pixels" {
  description = "Most pixels of an original (width x height). Larger ones are refused before they are decoded."
  type        = number
  default     = 500000000
  nullable    = false

  validation {
    condition     = var.max_photo_pixels >= 1
    error_message = "The value must be at least 1."
  }
}

variable "delete_with_original" {
  description = "Whether a photo's renditions and its facts are removed with the photo."
  type        = bool
  default     = true
  nullable    = false
}

variable "keep_old_versions_days" {
  description = "Days for which a new originals bucket keeps the old version of a photo that was overwritten or deleted. 0 for no old versions."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.keep_old_versions_days >= 0 && var.keep_old_versions_days <= 3650
    error_message = "The value must be from 0 to 3650."
  }
}

variable "location" {
  description = "How exact the location in a photo's item is: exact, rounded (two decimals, about 1 km) or off."
  type        = string
  default     = "exact"
  nullable    = false

  validation {
    condition     = contains(["exact", "rounded", "off"], var.location)
    error_message = "The value must be one of exact, rounded, off."
  }
}

variable "log_level" {
  description = "The least important log lines that are written."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = contains(["error", "warn", "info"], var.log_level)
    error_message = "The value must be one of error, warn, info."
  }
}

variable "log_retention_days" {
  description = "Days for which log lines are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "The value must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "tracing" {
  description = "Active for traces in AWS X-Ray of how long events waited, started and ran, at up to $5 a million; PassThrough for none."
  type        = string
  default     = "PassThrough"
  nullable    = false

  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing)
    error_message = "The value must be one of Active, PassThrough."
  }
}

variable "backfill" {
  description = "Whether the stack has a role and a bucket for S3 Batch Operations, which `make backfill` uses. They cost nothing while no job runs."
  type        = bool
  default     = false
  nullable    = false
}

variable "notices" {
  description = "true tells a topic of every photo that is ready, has failed or was removed, for your application to subscribe to. See docs/notices.md."
  type        = bool
  default     = false
  nullable    = false
}

variable "table_deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_email" {
  description = "E-mail address that the alarms are sent to, once it has confirmed the subscription. Empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(?:([^@ ]+@[^@ ]+)?)$", var.alarm_email))
    error_message = "The value must be an e-mail address, or empty."
  }
}
