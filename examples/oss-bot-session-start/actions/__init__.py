"""What `rasa run actions` loads: the bot's own actions and the folder of the plugin beside them."""
