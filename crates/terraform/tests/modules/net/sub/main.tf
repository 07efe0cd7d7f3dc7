variable "value" { type = list(string) }
resource "terraform_data" "deep" {
  input = [path.module, length(var.value)]
}
output "value" { value = reverse(var.value) }
