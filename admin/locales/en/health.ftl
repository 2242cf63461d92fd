# How the program is doing.

health-title = Health
health-away = The database does not answer.
health-not-durable = The writer is not set to be durable: what was answered may not survive a power cut.
health-disk-low = Only { $free } are free where the database is.
health-wall-far = The clock has jumped. It is { $seconds } seconds away from the time that this process goes by, which follows it by a hundredth at most.
health-queue-long = Many requests wait for the ledger's writer.
health-work-failing = Background work fails: { $work }.

health-program = Program
health-version = Version
health-started = This process began
health-now = Its time
health-wall = The clock is ahead of it by (milliseconds)
health-catalog = Catalog
health-policy = Policy

health-database = Database
health-kind = Kind
health-size = Size
health-log = Write-ahead log
health-disk = Room
health-disk-of = { $free } free of { $total }
health-migrations = Migrations
health-migration = The last one

health-writer = Writer and readers
health-presence = Database
health-is-there = there
health-is-away = away
health-settings = How it writes
health-epoch = Term
health-queued = Requests waiting
health-batches = Transactions committed
health-requests = Requests in them
health-failures = Transactions failed
health-readers = Readers
health-readers-of = { $open } open, { $idle } of them idle, at most { $most }

health-work = Background work of this process
health-work-name = Work
health-work-done = Last went well
health-work-tried = Last tried
health-work-state = State
health-work-well = well
health-work-ledger = expired holds and lost calls
health-work-follow = changes of other servers
health-work-outbox = mail
health-work-payloads = what calls carried
health-work-checkpoints = checkpoints
health-work-counts = counts of calls
health-work-balances = mail about credits that end
health-work-thresholds = limits that are nearly spent
health-work-webhooks = webhooks of partners
health-work-leftovers = wallets of erased end users

health-servers = Servers and their chains
health-slot = Slot
health-lease = Server
health-lease-alone = this process
health-lease-held = writing
health-lease-free = nobody
health-batch = Last batch
health-entry = Last entry
health-last = Recorded

health-books = Books, mail and webhooks
health-checkpoint = Last checkpoint
health-checkpoint-made = Made
health-checkpoint-since = Batches since
health-checkpoint-every = Due every (seconds)
health-mail = Mail in the queue
health-mail-oldest = The oldest since
health-mail-failed = Given up
health-webhooks = For webhooks of partners
health-webhooks-oldest = The oldest since
health-webhooks-failed = Given up
health-counted = Calls counted until
health-latency = How long the newest calls of all tools took, in milliseconds, of the last six hours at most
health-calls = Calls of the last six hours
health-calls-well = Ended as told
health-calls-failed = Failed or unknown

health-saturation = How near this process was to its limits in the last six hours: the most of every five minutes
health-saturation-own = Measured once a second by this process, since it began: { $since } UTC. Every server knows its own alone, and forgets it when it ends.
health-saturation-writer = Writer at work
health-saturation-queued = Requests waiting for the writer
health-saturation-readers = Readers in use
health-saturation-calls = Calls under way
health-saturation-missing = Not measured
health-saturation-most = at most { $value }
health-saturation-most-of = at most { $value } of { $limit }
