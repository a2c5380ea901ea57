"""Transports: they send one request to a model and return its response, without retries.

protocol: `Request`, `Response`, `Transport`, and the reading of an OpenAI-compatible body.
errors: HTTP statuses as errors, by who must act.
openai_http: OpenAI-compatible servers, over plain HTTP.
litellm: hosted providers, through litellm.
scripted: models that answer from a script, for tests and trials.
"""
