"""Finds personal information in what people send, and masks or refuses it by the operator's policy. Pure.

readable_text     a text as a reader takes it, with the way back to the text itself
labels            the words near a number that say what it is
digits            check digits, and numbers in groups
social_insurance, payment_cards, email_addresses, telephones, postal_codes, passports, health_cards, birth_dates
                  the detectors, one for each kind
own_patterns      an operator's own kinds
allowances        what is no personal information for the operator: addresses and numbers of the government
detection         all detectors together
policy            which kind is allowed, masked or refused, by personality and channel
screening         prompts, tasks and other texts without the masked passages

Every search takes time in proportion to the text: each expression has bounded repeats, and looks at bounded context.
"""
