// Another site on this machine, whose pages send forms to the console.
//
// Its one port is reached under two names: for a page on 127.0.0.1 `localhost` is another site, while 127.0.0.1 with
// another port is the same site and another origin, and its requests carry the cookies that `SameSite` keeps from the first.

import crypto from 'node:crypto';
import http from 'node:http';

const HOSTS = { site: 'localhost', port: '127.0.0.1' };

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function form(action, fields) {
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${escape(name)}" value="${escape(value)}">`);
  return `<form method="post" action="${escape(action)}">${inputs.join('')}<button>Go</button></form>`;
}

function sentAtOnce(action, fields) {
  return `${form(action, fields)}<script>document.forms[0].submit()</script>`;
}

// What the page does, by the way in which it is to be done.
const WAYS = {
  form: ({ url, fields }) => sentAtOnce(url, fields),
  // From a frame that has no origin: the browser says `Origin: null`. Whoever opens the page presses the button in it.
  frame: ({ url, fields }) =>
    `<iframe sandbox="allow-scripts allow-forms" srcdoc="${escape(form(url, fields))}"></iframe>`,
  fetch: ({ url, fields }) => {
    const text = (value) => JSON.stringify(value).replace(/</g, '\\u003c');
    return `<script>fetch(${text(url)}, {method: 'POST', mode: 'no-cors', credentials: 'include',
      body: new URLSearchParams(${text(fields)})}).catch(() => {})</script>`;
  },
  // To a page of its own, which sends the browser on with the form.
  redirect: ({ url, fields }) => sentAtOnce(`/on?to=${encodeURIComponent(url)}`, fields),
};

export const WAYS_KNOWN = Object.keys(WAYS);
export const HOSTS_KNOWN = Object.keys(HOSTS);

export class SecondSite {
  #pages = new Map();
  #server = null;

  // The address of a page that does this once it is opened.
  async page(how) {
    const way = WAYS[how.way];
    const host = HOSTS[how.from];
    if (!way) throw new Error(`way is \`${how.way}\`; it can be ${WAYS_KNOWN.join(', ')}`);
    if (!host) throw new Error(`from is \`${how.from}\`; it can be ${HOSTS_KNOWN.join(', ')}`);
    this.#server ??= this.#listen();
    const { port } = (await this.#server).address();
    const name = crypto.randomUUID();
    this.#pages.set(`/${name}`, `<!doctype html><meta charset="utf-8"><title>Elsewhere</title>${way(how)}`);
    return `http://${host}:${port}/${name}`;
  }

  #listen() {
    const server = http.createServer((request, response) => this.#answer(request, response));
    server.unref();
    return new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(server));
    });
  }

  #answer(request, response) {
    const asked = new URL(request.url, 'http://elsewhere');
    request.resume();
    if (asked.pathname === '/on') {
      response.writeHead(307, { location: asked.searchParams.get('to') }).end();
      return;
    }
    const page = this.#pages.get(asked.pathname);
    this.#pages.delete(asked.pathname);
    response.writeHead(page ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' }).end(page ?? '');
  }
}
