"""Limits of one endpoint: when a request may start, and when it is sent twice.

admission: admission control, which combines the others; the priority semaphore of its slots.
rate_limiter: requests and tokens per minute, and the rate learned from 429s.
circuit_breaker: whether the endpoint is up; probes while it is down.
hedging: a second request where the first is far beyond the usual latency.
stop: the stop signal that ends every wait.
"""
