resource "terraform_data" "overridden" {
  input = "after"
}
