# The plain template of a release as one CloudFormation stack: its resources are the same as after `sam deploy`.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  description = "Name of the stack. It is a part of the names of buckets and functions."
  type        = string

  validation {
    # 23 characters fit in every region, 29 in us-east-1: S3 takes 63 with the account and the region.
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,28}$", var.name))
    error_message = "The name must have lower-case letters, digits and - only, 23 characters in every region and at most 29."
  }
}

variable "release" {
  description = "Folder of a release, with template.json and the functions' zips."
  type        = string
}

variable "code_bucket" {
  description = "Bucket in the stack's region that the template and the zips are put into."
  type        = string
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation gives to its resources."
  type        = map(string)
  default     = {}
  nullable    = false
}

locals {
  template = "${var.release}/template.json"
  packages = {
    ThumbnailCodeKey = "${var.release}/thumbnail-${var.architecture}.zip"
    UploadUrlCodeKey = "${var.release}/upload-url-${var.architecture}.zip"
  }
}

data "aws_s3_bucket" "code" {
  bucket = var.code_bucket
}

# A key has the hash of what it holds: CloudFormation updates a function only where its key changes. The new object is
# there before the stack is updated, and the old one until then, because CloudFormation may have to go back to it.
resource "aws_s3_object" "package" {
  for_each = local.packages

  bucket = var.code_bucket
  key    = "${var.name}/${filesha256(each.value)}/${basename(each.value)}"
  source = each.value

  lifecycle {
    create_before_destroy = true
  }
}

# In S3, because a request to CloudFormation holds at most 51,200 bytes of template.
resource "aws_s3_object" "template" {
  bucket       = var.code_bucket
  key          = "${var.name}/${filesha256(local.template)}/template.json"
  source       = local.template
  content_type = "application/json"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "photos" {
  name         = var.name
  template_url = "https://${data.aws_s3_bucket.code.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_IAM"]
  parameters = merge(
    local.parameters,
    { CodeBucket = var.code_bucket },
    { for parameter, package in aws_s3_object.package : parameter => package.key },
  )
  tags = var.tags
}
