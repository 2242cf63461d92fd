// What a page makes the browser complain about, and what it makes it fetch.

const HERE = new Set(['127.0.0.1', 'localhost', '[::1]']);

export class Complaints {
  #list = [];
  #requests = [];
  #pages = new Set();

  async listenIn(context) {
    this.#pages.clear();
    await context.exposeBinding('__policyViolated', ({ page }, violated) => this.#add(page, 'policy', violated.text, violated.url));
    await context.addInitScript(() => {
      const tell = globalThis.__policyViolated;
      delete globalThis.__policyViolated;
      addEventListener('securitypolicyviolation', (event) => {
        tell({
          text: `${event.effectiveDirective} forbids ${event.blockedURI}${event.sample ? `: ${event.sample}` : ''}`,
          url: `${event.sourceFile}:${event.lineNumber}`,
        });
      });
    });
  }

  // To this page and to those that it opens.
  listenTo(page) {
    this.#pages.add(page);
    // Documents that are answered with an error: the browser says so in its console, but a page is what was wanted.
    const refused = new Set();
    page.on('popup', (other) => this.listenTo(other));
    page.on('pageerror', (error) => this.#add(page, 'page error', error.stack ?? String(error), page.url()));
    page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol.startsWith('http') && !HERE.has(hostname)) this.#add(page, 'elsewhere', `asked for ${request.url()}`, page.url());
    });
    page.on('response', (response) => {
      if (response.status() >= 400 && response.request().isNavigationRequest()) refused.add(response.url());
    });
    page.on('requestfinished', (request) => this.#requests.push(request));
    page.on('console', (message) => {
      const { url } = message.location();
      if (message.text().startsWith('Failed to load resource') && refused.has(url)) return;
      // That it did as it was asked is no complaint.
      if (message.type() === 'info' && message.text().startsWith('Clear-Site-Data header on')) return;
      this.#add(page, message.type(), message.text(), url);
    });
  }

  #add(page, kind, text, url) {
    if (this.#pages.has(page)) this.#list.push({ kind, text, url });
  }

  take() {
    return this.#list.splice(0);
  }

  async traffic() {
    const requests = this.#requests.splice(0);
    return Promise.all(requests.map(async (request) => {
      const [response, sizes] = await Promise.all([request.response(), request.sizes()]);
      return { method: request.method(), url: request.url(), status: response?.status() ?? 0, bytes: sizes.responseBodySize };
    }));
  }
}
