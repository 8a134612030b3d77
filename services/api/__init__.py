"""The HTTP interface: `/api/v1` for programs (OpenAPI 3.1), and what operating it needs."""
