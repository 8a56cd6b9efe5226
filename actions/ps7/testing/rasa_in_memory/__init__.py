"""The part of Rasa Open Source 3.6.21 that stands around custom actions, held in memory.

`domain` reads what a bot's domain says, `replay` is the tracker; the message processor is
`Conversation` itself. Nothing in here knows PS7 or imports rasa_sdk.
"""
