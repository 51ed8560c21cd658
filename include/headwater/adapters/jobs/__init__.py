"""Services that run jobs elsewhere: any over HTTP, and Azure Data Factory."""
