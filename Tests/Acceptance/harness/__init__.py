"""What the acceptance tests drive the server with: the process, HTTP, Yjs clients, raw frames, waiting."""
