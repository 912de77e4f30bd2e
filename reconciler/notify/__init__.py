"""How a message reaches people: one message to one URL, with an honest result. The only room that imports Apprise.

`urls` opens and checks URLs, `services` knows what differs between services, `listening` hears what they answer,
`answers` judges it, `log_file` is the channel that needs no service. When and to whom is the notifier's.
"""
