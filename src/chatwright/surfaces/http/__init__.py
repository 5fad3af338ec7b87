"""The catalogue as a REST API, and the few pages that the server shows by itself."""
