"""Every table with a path to a user: what an export holds, and what it leaves out and why.

A test walks the models and fails when a table is in neither list; an erasure takes all of both.
"""

# table -> how a row leads to its user
EXPORTED = {
    "accounts.User": "pk",
    "accounts.ApiToken": "user",
    "accounts.AuditEntry": "owner",
    "accounts.CredentialUse": "owner",
    "accounts.ExchangeAccount": "user",
    "account.EmailAddress": "user",
    "mfa.Authenticator": "user",
    "usersessions.UserSession": "user",
    "alerts.Alert": "user",
    "alerts.AlertEvent": "user",
    "alerts.Alert_channels": "alert__user",
    "alerts.Channel": "user",
    "alerts.Delivery": "event__user",
    "journal.Annotation": "user",
    "journal.Annotation_tags": "annotation__user",
    "journal.Balance": "account__user",
    "journal.ConditionalOrder": "account__user",
    "journal.Coverage": "account__user",
    "journal.DailyBalance": "account__user",
    "journal.DayNote": "user",
    "journal.Difference": "account__user",
    "journal.Fill": "account__user",
    "journal.FillFlow": "fill__account__user",
    "journal.FillMark": "account__user",
    "journal.FuturesPosition": "account__user",
    "journal.Income": "account__user",
    "journal.LedgerProblem": "account__user",
    "journal.ManualFill": "account__user",
    "journal.NoteTemplate": "user",
    "journal.OpenPosition": "account__user",
    "journal.OpeningBalance": "account__user",
    "journal.OpeningPosition": "account__user",
    "journal.Order": "account__user",
    "journal.OrderList": "account__user",
    "journal.Payment": "account__user",
    "journal.Preferences": "user",
    "journal.Realized": "account__user",
    "journal.Rejected": "account__user",
    "journal.SavedView": "user",
    "journal.Screenshot": "user",
    "journal.Setup": "user",
    "journal.StatedCost": "account__user",
    "journal.Tag": "user",
    "journal.Trade": "account__user",
    "journal.TradeFill": "trade__account__user",
    "journal.TradeMerge": "account__user",
    "journal.TradeSplit": "account__user",
    "journal.Transfer": "account__user",
    "journal.Upload": "account__user",
    "journal.WatchedMarket": "watchlist__user",
    "journal.Watchlist": "user",
    "journal.Witness": "account__user",
    "trading.Bracket": "user",
    "trading.Idempotency": "user",
    "trading.OrderIntent": "user",
    "trading.Rule": "user",
    "trading.RuleBreak": "user",
    "trading.TradingSwitch": "account__user",
}
# table -> (how a row leads to its user, why no export holds it)
LEFT_OUT = {
    "accounts.Export": ("user", "it is the export itself"),
    "accounts.Invitation": ("made_by", "only the hash of a code that was given away"),
    "accounts.User_groups": ("user", "what the operator allows, not data of the user"),
    "accounts.User_user_permissions": ("user", "what the operator allows, not data of the user"),
    "admin.LogEntry": ("user", "the operator's record of the admin pages"),
    "account.EmailConfirmation": ("email_address__user", "codes that end within days"),
    "journal.Guest": ("user", "that it is a guest of a day"),
    "journal.Book": ("account__user", "how far the ledger has reckoned"),
    "journal.Checkpoint": ("book__account__user", "how far the ledger has reckoned"),
    "journal.InsightPart": ("user", "computed of the trades, which are told"),
    "journal.InsightTrades": ("part__user", "computed of the trades, which are told"),
    "journal.Sync": ("account__user", "how far the exchange was read"),
    "journal.TradesVersion": ("account__user", "a count of changes"),
}
# Columns that are told as there or not there, never by their value.
SECRETS = {
    "accounts.User": ("password",),
    "accounts.ApiToken": ("digest", "key"),
    "accounts.ExchangeAccount": ("api_key", "api_secret", "api_key_hash"),
    "alerts.Channel": ("target", "secret", "code_digest"),
    "mfa.Authenticator": ("data",),
    "usersessions.UserSession": ("session_key",),
}
# Columns that are files: (column, how its file ends).
FILES = {
    "journal.Screenshot": ("image", ".webp"),
    "journal.Upload": ("body", ""),
}
# Tables that are there as CSV too.
TABLES_AS_CSV = {
    "journal.Fill": "fills.csv",
    "journal.Trade": "trades.csv",
    "journal.Transfer": "transfers.csv",
    "journal.Income": "income.csv",
}
