"""Several Rasa servers and several action servers on real engines, and what a kill costs.

    python -m benchmarks.scale [--conversations 500]

`programs` says what has to be installed, `engines` and `proxy` start it, `topology` puts it
together, `customers` and `users` talk to it, and `verdict` says what became of it.
"""
