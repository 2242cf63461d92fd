// What makes the console quicker where scripts run. Every page works without.
'use strict';

const drawer = document.getElementById('drawer');
const drawerBody = document.getElementById('drawer-body');
let opener = null;
// The newest press, what was asked for last, and whether its answer sends the whole window elsewhere.
let newest = null;
let asking = Promise.resolve();
let isLeaving = false;

// What is open beside the list stands in the address, as `open`: a link has it, and Back closes it.
function opened() {
  const href = new URLSearchParams(location.search).get('open');
  return href && href.startsWith('/admin/') ? href : null;
}

function address(href) {
  const url = new URL(location.href);
  url.searchParams.delete('open');
  if (href) url.searchParams.set('open', href);
  return url;
}

// Asks for a page beside the list: whether it came. htmx asks for one thing after the other, so what is under way is given up.
async function fetchBeside(href, press) {
  htmx.trigger(document.body, 'htmx:abort');
  await asking;
  if (newest !== press) return false;
  isLeaving = false;
  const before = drawerBody.firstChild;
  const asked = htmx.ajax('GET', href, { target: '#drawer-body', swap: 'innerHTML' });
  // Whoever comes next waits for its end, however it ends.
  asking = asked.catch(() => {});
  await asked;
  return drawerBody.firstChild !== before;
}

// Opens a page beside the list: `open`; or `failed`, as without a network; or `over`, because another row was pressed in the
// meantime, which is the one that counts, or because the window is on its way elsewhere.
async function openDrawer(href, from) {
  const press = {};
  newest = press;
  let outcome = 'failed';
  try {
    if (await fetchBeside(href, press) && newest === press) {
      if (!drawer.open) {
        opener = from;
        drawer.showModal();
      }
      localise(drawerBody);
      outcome = 'open';
    }
  } catch (error) {
    console.error(error);
  } finally {
    // Where the session has ended the window is on its way to the sign-in.
    if (newest !== press || (isLeaving && outcome === 'failed')) outcome = 'over';
  }
  return outcome;
}

function rowOf(href) {
  return document.querySelector(`tr[data-href="${CSS.escape(href)}"] a`);
}

function pressedRow(event) {
  const row = event.target.closest('tr[data-href]');
  const link = event.target.closest('a');
  if (!row || event.defaultPrevented || (link && link.getAttribute('href') !== row.dataset.href)) return null;
  return { href: row.dataset.href, link, from: link || row.querySelector('a') || row };
}

// A row opens beside the list; with a modifier, or without a drawer, it is an ordinary link.
document.addEventListener('click', async (event) => {
  const row = pressedRow(event);
  if (!row || !drawer || event.button !== 0 || window.getSelection().toString()) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
    // A link does that by itself, and what is no link as one.
    if (!row.link) window.open(row.href, '_blank', 'noopener');
    return;
  }
  event.preventDefault();
  const wasOpen = drawer.open;
  const outcome = await openDrawer(row.href, row.from);
  // What does not open beside the list is a page all the same.
  if (outcome === 'failed') location.assign(row.href);
  if (outcome !== 'open') return;
  // Back closes it, however far somebody went in it.
  if (wasOpen) history.replaceState(history.state, '', address(row.href));
  else history.pushState({ drawer: true }, '', address(row.href));
});

document.addEventListener('auxclick', (event) => {
  const row = pressedRow(event);
  if (row && !row.link && event.button === 1) window.open(row.href, '_blank', 'noopener');
});

// Only pages are shown as parts of one: what a file holds is no markup of ours.
document.addEventListener('htmx:before:response', (event) => {
  const { headers } = event.detail.ctx.response;
  isLeaving = headers.has('hx-redirect');
  const type = headers.get('content-type') || 'text/html';
  if (!type.startsWith('text/html')) event.preventDefault();
});

if (drawer) {
  drawer.addEventListener('close', () => {
    drawerBody.replaceChildren();
    if (opener) opener.focus();
    opener = null;
    if (!opened()) return;
    if (history.state && history.state.drawer) history.back();
    else history.replaceState(null, '', address(null));
  });
  drawer.addEventListener('click', (event) => {
    if (event.target === drawer) drawer.close();
  });
  window.addEventListener('popstate', () => {
    const href = opened();
    if (href && !drawer.open) openDrawer(href, rowOf(href));
    if (!href && drawer.open) drawer.close();
  });
  // For whoever has no scripts it is a link, and so it is where it does not open.
  const link = document.getElementById('opened');
  if (link) link.hidden = true;
  if (opened()) {
    openDrawer(opened(), rowOf(opened())).then((outcome) => {
      if (link) link.hidden = outcome !== 'failed';
    });
  }
}

document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select');
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
    const search = document.getElementById('search');
    if (search && !(drawer && drawer.open)) { event.preventDefault(); search.focus(); }
  }
});

// A form is sent once, however often its button is pressed.
document.addEventListener('submit', (event) => {
  const form = event.target.closest('form[data-once]');
  if (!form) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = 'yes';
  setTimeout(() => { delete form.dataset.sent; }, 5000);
});

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const text = button.closest('figure, .secret').querySelector('code').textContent;
  await navigator.clipboard.writeText(text);
  button.setAttribute('aria-label', button.dataset.copied);
  button.classList.add('copied');
});

// Moments in the operator's own zone; UTC when pointed at.
function localise(root) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
  for (const time of root.querySelectorAll('time[datetime]')) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.title = time.dateTime;
      time.textContent = format.format(moment);
    }
  }
}
localise(document);
