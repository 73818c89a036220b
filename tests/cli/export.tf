resource "aws_s3_bucket_lifecycle_configuration" "my_bucket" {
  bucket = "my.bucket"

  rule {
    id = "theirs"
    status = "Enabled"
    filter {
      tag {
        key = "a"
        value = "$${b}"
      }
    }
    expiration {
      days = 9
    }
  }

  rule {
    id = "ebb: cold"
    status = "Enabled"
    filter {
      and {
        prefix = "raw/"
        object_size_greater_than = 48375
        object_size_less_than = 1073741824
      }
    }
    transition {
      days = 90
      storage_class = "GLACIER_IR"
    }
  }

  rule {
    id = "ebb: deep"
    status = "Enabled"
    filter {
      and {
        prefix = "deep/"
        object_size_greater_than = 823105
      }
    }
    transition {
      days = 30
      storage_class = "DEEP_ARCHIVE"
    }
  }

  rule {
    id = "ebb: gone"
    status = "Enabled"
    filter {
      prefix = "tmp/"
    }
    expiration {
      days = 7
    }
  }
}
