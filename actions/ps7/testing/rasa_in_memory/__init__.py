"""The part of Rasa Open Source 3.6.21 that stands around custom actions, held in memory.

`domain` and `answers` read what a bot's domain says, `events` and `replay` are the tracker,
`processor` is the message processor without policies and NLU, `result` is what a test gets to see.
Nothing in here knows PS7 or imports rasa_sdk.
"""
