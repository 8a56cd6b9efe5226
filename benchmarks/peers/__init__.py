"""What people would write instead of the plugin: one module each, for `rasa_sdk --actions`.

Each looks the same customer up and sets nine of the plugin's twelve slots, but seals nothing,
checks nothing and knows no failure. `nothing` does nothing: what the action server itself costs.
"""
