# The network of a web shop: three tiers and a bastion in a production VPC, and a development VPC beside it.
# What it is meant to allow is written in shop.btz; `bartizan check examples/shop` compares the two.

terraform {
  required_version = ">= 1.3"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.280.0"
    }
  }
}

provider "alicloud" {
  region = var.region
}
