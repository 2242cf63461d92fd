# Words that every page of the console shares.

console-skip = Skip to the content
console-search = Search
console-search-hint = Identifier, name, e-mail
console-menu = Parts of the console
console-crumbs = Where this is
console-tabs = Views
console-drawer = Details
console-close = Close
console-home = Back to the console
console-more = More
console-copy = Copy
console-nothing = Nothing.
console-pages = Pages of this list
console-first = ← First page
console-next = Next →
console-rows-many = { $count }+ rows
console-filters = Narrow this list
console-filter = Filter
console-filter-none = Show all
console-cancel = Cancel
console-preview = What this will do
console-show-effect = Show what it will do
console-show-effect-again = Work it out again
console-form-problems = Some fields cannot be used as they are:
console-chart-numbers = The numbers
console-chart-when = When
console-chart-value = Value

console-required = Fill this in.
console-amount-positive = The amount has to be above zero.
console-amount-unreadable = This is no amount: { $problem }.
console-amount-hint = In credits, at most six decimals; 1,000 credits are 1 USD.
console-day-unreadable = This is no time. Write it as 2026-11-30 or 2026-11-30T18:00.

console-nobody = Nobody is signed in.
console-not-found = Nothing here
console-not-found-detail = There is no such page, or what it showed is not there.
console-forbidden = Not for you
console-factor-missing = A second factor comes first
console-factor-missing-detail = This moves money, changes who may do what, or publishes policy. Enrol a second factor on your own page (your name, at the top) and come back.
console-cross-site = This form came from somewhere else
console-cross-site-detail = Nothing was changed. Open the page here and send the form again.
console-not-private = This connection is not private
console-not-private-detail = The console works over HTTPS (server.tls, or a proxy named in server.trusted_proxies) and over plain HTTP on the machine itself. A password must not travel this way.
console-form = The form could not be read
console-form-detail = It was { $what }. Nothing was changed.
console-wait = Too many tries
console-wait-detail = Wait { $seconds } seconds and try again.
console-away = The database does not answer
console-away-detail = Nothing was changed. The console goes on by itself as soon as the database is back: load this page again.
console-broken = This page failed
console-broken-detail = Nothing is known to have changed. The server's log has the reason.

console-step-up-password = Type your password: this needs to be you, now.
console-step-up-password-label = Your password, once more
console-step-up-wrong = The password or the code is wrong, or the code was used before.
console-step-up-hint = Asked for when money, access or policy changes and you last showed it more than five minutes ago.
console-code-label = Code from your authenticator

console-reason = Why
console-timeline = What has happened
console-timeline-none = Nothing yet.
console-number-unreadable = This is no number.

console-sign-in = Sign in
console-sign-in-title = Sign in
console-sign-in-email = E-mail
console-sign-in-password = Password
console-sign-in-code-hint = Leave it empty until you have enrolled one.
console-sign-in-wrong = E-mail, password and code do not belong together.
console-sign-out = Sign out
console-signed-out = Signed out
console-signed-out-detail = This session has ended.
console-first-title = There is no operator yet
console-first-text = Nobody can sign in before there is one. On the machine that Tollgate runs on, this makes the first one and prints a link that is good once, for 30 minutes:
console-first-command = Make the first operator

console-link-title = Choose a password
console-link-text = For { $email }. The link is good once.
console-link-password = New password
console-link-again = Once more
console-link-hint = { $min } to { $max } characters.
console-link-submit = Set the password
console-link-differ = The two passwords differ.
console-link-gone = This link cannot be used any more
console-link-gone-text = It was used, its time is over, or it was not copied whole. An owner, or whoever runs the server, makes another one: tollgate operator link.

console-me-title = My page
console-me-roles = Roles
console-me-factor = Second factor
console-me-factor-on = enrolled
console-me-factor-off = missing
console-me-factor-change = Enrol a second factor
console-me-password-change = Change my password
console-me-last = Last sign-in
console-me-sessions = Where I am signed in
console-me-began = Since
console-me-seen = Last seen
console-me-address = From
console-me-browser = With
console-me-session = Session
console-me-this = this one

console-factor-title = Second factor
console-factor-text = Put this secret into an authenticator, by hand or by its address, and type the code that it shows. A code is good once, for 30 seconds.
console-factor-secret = Secret
console-factor-uri = Address for the authenticator
console-factor-submit = Enrol
console-factor-done = The second factor is enrolled. It is asked for at the next sign-in.
console-factor-wrong = This is not the code of this moment.

console-password-title = Change my password
console-password-old = Old password
console-password-submit = Change it
console-password-done = The password is changed. Every other session has ended.
console-password-wrong = This is not your password.
