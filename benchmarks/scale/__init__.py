"""Several Rasa servers and several action servers on real engines, and what a change costs.

    python -m benchmarks.scale [--users 15]

`programs` says what has to be installed, `engines`, `servers` and `proxy` start it, `topology` puts
it together, `acts` says what happens to it while `users` talk, and `verdict` what became of them.
"""
