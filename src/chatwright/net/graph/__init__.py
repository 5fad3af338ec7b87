"""Meta's Graph API, as WhatsApp, Messenger and Instagram share it: calls out, errors, webhooks."""
