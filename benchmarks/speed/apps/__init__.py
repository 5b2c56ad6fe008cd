"""What is measured: one module an app, each with ``app``, all with the same two pages."""
