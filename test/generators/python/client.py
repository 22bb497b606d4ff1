"""A client made from the document alone: its routes, and in latchkey.py the types that quicktype made of its schemas."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request

import latchkey

METHODS = ("get", "post", "put", "patch", "delete")


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status = status
        self.problem = body


class Client:
    def __init__(self, url, document):
        self.url = url
        self.components = document["components"]
        self.operations = {
            item[method]["operationId"]: (method, path, item[method])
            for path, item in document["paths"].items()
            for method in METHODS
            if method in item
        }

    def call(self, operation_id, body=None, access=None, basic=None, query=None, headers=None):
        """Sends the operation. The answer, or the problem of a Refused, has the type that the document names."""
        method, path, operation = self.operations[operation_id]
        headers = dict(headers or {})
        if access:
            headers["Authorization"] = f"Bearer {access}"
        if basic:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
        data = None
        if body is not None:
            [(media, content)] = operation["requestBody"]["content"].items()
            assert type(body).__name__ == content["schema"]["$ref"].split("/")[-1], operation_id
            values = body.to_dict()
            text = json.dumps(values) if media.endswith("json") else urllib.parse.urlencode(values)
            data, headers["Content-Type"] = text.encode(), media
        url = self.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(url, data, headers, method=method.upper())
        try:
            with urllib.request.urlopen(request) as answer:
                return self.typed(operation, answer)
        except urllib.error.HTTPError as answer:
            raise Refused(answer.code, self.typed(operation, answer)) from None

    def typed(self, operation, answer):
        declared = operation["responses"][str(answer.status)]
        if "$ref" in declared:
            declared = self.components["responses"][declared["$ref"].split("/")[-1]]
        text = answer.read()
        if not text:
            return None
        media = answer.headers.get_content_type()
        name = declared["content"][media]["schema"]["$ref"].split("/")[-1]
        return getattr(latchkey, name).from_dict(json.loads(text))
