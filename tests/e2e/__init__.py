"""The running product in headless Chromium, on loopback or in a network namespace of its own."""
