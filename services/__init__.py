"""What people and other systems run and talk to: command line, HTTP, pages, importers, audit."""
