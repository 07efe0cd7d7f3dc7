locals {
  m     = { a = 1, b = "two", c = [1, 2, 3], d = { e = "deep" } }
  l     = ["x", "y", "z"]
  objs  = [{ id = "i1", n = 1, tags = ["t"] }, { id = "i2", n = 2, tags = [] }]
  empty = []
  nul   = null
  csv   = "a,b\n1,2\n3,\"x,y\"\n"
  text  = <<-EOT
    first ${local.l[0]}
      second
    third
  EOT
  raw   = <<EOT
  kept
    indented
EOT
}
