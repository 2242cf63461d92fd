// What makes the console quicker where scripts run. Every page works without.
'use strict';

const drawer = document.getElementById('drawer');
const drawerBody = document.getElementById('drawer-body');
let opener = null;

// A row opens its page beside the list; with a modifier, or without a drawer, it is an ordinary link.
async function openDrawer(href, from) {
  opener = from;
  await htmx.ajax('GET', href, { target: '#drawer-body', swap: 'innerHTML' });
  if (!drawer.open) drawer.showModal();
  localise(drawerBody);
}

document.addEventListener('click', (event) => {
  const row = event.target.closest('tr[data-href]');
  if (!row || !drawer || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest('a');
  if (link && link.getAttribute('href') !== row.dataset.href) return;
  if (window.getSelection().toString()) return;
  event.preventDefault();
  openDrawer(row.dataset.href, link || row.querySelector('a') || row);
});

if (drawer) {
  drawer.addEventListener('close', () => {
    drawerBody.replaceChildren();
    if (opener) opener.focus();
    opener = null;
  });
  drawer.addEventListener('click', (event) => {
    if (event.target === drawer) drawer.close();
  });
}

document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select');
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
    const search = document.getElementById('search');
    if (search) { event.preventDefault(); search.focus(); }
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
  button.setAttribute('aria-label', 'Copied');
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
