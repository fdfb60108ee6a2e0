"""A function under gunicorn."""


def app(environ, start_response):
    environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path == "/chunked":
        start_response("200 OK", [])
        return iter([b"abc", b"de"])
    if path == "/no-content":
        start_response("204 No Content", [])
        return []
    if path == "/not-modified":
        start_response("304 Not Modified", [])
        return []
    if path == "/close":
        start_response("200 OK", [("Connection", "close"), ("Content-Length", "3")])
        return [b"bye"]
    if path == "/redirect":
        start_response("302 Found", [("Location", "/elsewhere"), ("Content-Length", "0")])
        return []
    if path == "/throttle":
        start_response("429 Too Many Requests", [("Retry-After", "7"), ("Content-Length", "0")])
        return []
    body = environ["REMOTE_PORT"].encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
