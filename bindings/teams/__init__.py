"""Microsoft Teams: its webhook in, its connector out. All of botbuilder is here, so that its successor can replace it.

hosts        which addresses are Microsoft's: where our token may go, and where files come from
transport    HTTP with deadlines and bounded bodies, its failures told in the family of delivery
tokens       whether a webhook call comes from Microsoft
credentials  the token with which we call the connector
connector    botbuilder's connector client, over our transport
activities   botbuilder's activities, read from strangers
markup       what the HTML of a message holds that its text has lost
mapping      an activity → IncomingMessage (pure)
formatting   the Markdown of a model → what Teams shows, defused (pure)
messages     a page → an activity (pure)
streaming    what is sent next of a message that streams (pure)
outlet       where one answer goes
parcels      files that wait for a person's consent
files        fetched from, and put to, a person's OneDrive
consent      what a person says to the offer of a file
cloud        botbuilder's cloud adapter, its authentication replaced
platform     what the intake asks of this platform
words        what people read in Teams alone
turns        which activity means what to the intake
adapter      the route, and the life of it all
"""
