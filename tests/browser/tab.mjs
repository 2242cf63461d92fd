// One visitor: a browser context of its own, with one page in front, and the commands that it understands.

import fs from 'node:fs';
import { Complaints } from './complaints.mjs';

// No command takes longer.
export const DEADLINE_MS = 15_000;
// What one command waits for ends a little earlier, so that the error says what that was.
const WAIT_MS = DEADLINE_MS - 2_000;

// WCAG 2.2, levels A and AA.
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export class Tab {
  #browser;
  #axe;
  #site;
  #context = null;
  #page = null;
  #options = { javaScriptEnabled: true, colorScheme: 'light', viewport: { width: 1280, height: 900 } };
  #complaints = new Complaints();

  constructor(browser, { axe, site }) {
    this.#browser = browser;
    this.#axe = axe;
    this.#site = site;
  }

  async begin({ javascript = true }) {
    this.#options.javaScriptEnabled = javascript;
    await this.#renew();
  }

  async end() {
    await this.#context.close();
  }

  // A new context with the cookies of the old one: whether scripts run is decided when it is made.
  async #renew() {
    const storageState = this.#context ? await this.#context.storageState() : undefined;
    await this.#context?.close();
    this.#context = await this.#browser.newContext({
      ...this.#options,
      storageState,
      locale: 'en-GB',
      timezoneId: 'UTC',
      reducedMotion: 'reduce',
      serviceWorkers: 'block',
    });
    this.#context.setDefaultTimeout(WAIT_MS);
    await this.#complaints.listenIn(this.#context);
    this.#page = await this.#context.newPage();
    this.#complaints.listenTo(this.#page);
  }

  async #dress({ width, height, scheme, media }) {
    if (media) await this.#page.emulateMedia({ media });
    if (scheme) {
      this.#options.colorScheme = scheme;
      await this.#page.emulateMedia({ colorScheme: scheme });
    }
    if (width || height) {
      const viewport = { ...this.#options.viewport, ...(width && { width }), ...(height && { height }) };
      this.#options.viewport = viewport;
      await this.#page.setViewportSize(viewport);
    }
  }

  // A part of the page, or all that can be reached: behind an open dialog there is nothing to press.
  async #scope(within) {
    if (within) return this.#page.locator(within);
    const dialog = this.#page.locator('dialog[open]');
    return (await dialog.count()) > 0 ? dialog : this.#page;
  }

  // The one visible element of several kinds of finding it, or an error that says what was looked for and what is there.
  async #one(what, locator, others) {
    const found = locator.filter({ visible: true });
    try {
      await found.first().waitFor();
    } catch {
      const there = await this.#page.locator(others).filter({ visible: true }).evaluateAll((elements) =>
        elements.slice(0, 60).map((element) =>
          (element.labels?.[0]?.textContent ?? element.getAttribute('aria-label') ?? element.textContent ?? '').trim() ||
          element.getAttribute('name')),
      );
      throw new Error(`${what} is not on ${this.#page.url()}, which has ${JSON.stringify(there)}`);
    }
    const count = await found.count();
    if (count === 1) return found;
    // Links that lead to one place are one for whoever follows them.
    const places = await found.evaluateAll((elements) => [...new Set(elements.map((element) => element.href ?? null))]);
    if (places.length > 1 || !places[0]) throw new Error(`${what} is there ${count} times on ${this.#page.url()}`);
    return found.first();
  }

  async #field({ field, within }) {
    const scope = await this.#scope(within);
    const controls = this.#page.locator('input, select, textarea');
    const named = scope.getByLabel(field, { exact: true }).and(controls).or(scope.locator(`[name=${JSON.stringify(field)}]`).and(controls));
    return this.#one(`the field \`${field}\``, named, 'input:not([type=hidden]), select, textarea');
  }

  #where() {
    return { url: this.#page.url() };
  }

  // What there is to ask for. Fields are named by their label or their `name`, buttons and links by what they are called
  // for everybody; `within` (a CSS selector) looks in a part of the page.
  static commands = {
    async open({ url }) {
      const response = await this.#page.goto(url, { waitUntil: 'load' });
      return { ...this.#where(), status: response?.status() ?? 0 };
    },

    async back() {
      const response = await this.#page.goBack({ waitUntil: 'load' });
      return { ...this.#where(), status: response?.status() ?? 0 };
    },

    async fill(command) {
      const field = await this.#field(command);
      await field.fill(command.value);
    },

    async choose(command) {
      const field = await this.#field(command);
      const options = await field.evaluate((select) =>
        [...select.options].map((option) => ({ label: option.label.trim(), value: option.value })));
      const wanted = options.find((option) => option.label === command.value) ?? options.find((option) => option.value === command.value);
      if (!wanted) throw new Error(`\`${command.field}\` has no \`${command.value}\`, but ${JSON.stringify(options)}`);
      await field.selectOption({ value: wanted.value });
    },

    async tick(command) {
      const field = await this.#field(command);
      await field.setChecked(command.on ?? true);
    },

    // Waits for the page that this leads to, if it leads to one.
    async press({ text, within }) {
      const scope = await this.#scope(within);
      const named = ['button', 'link'].map((role) => scope.getByRole(role, { name: text, exact: true }));
      const found = await this.#one(`a button or link \`${text}\``, named[0].or(named[1]), 'button, a[href], summary');
      await found.click();
      await this.#page.waitForLoadState('load');
      return this.#where();
    },

    // Opens the row of a list that says this: beside the list where scripts run, else on a page of its own.
    async row({ text }) {
      const scope = await this.#scope();
      const rows = scope.getByRole('row').filter({ hasText: text, has: this.#page.getByRole('link') });
      const row = await this.#one(`a row with \`${text}\``, rows, 'tbody tr');
      const href = await row.getAttribute('data-href');
      const link = href ? row.locator(`a[href=${JSON.stringify(href)}]`) : row.getByRole('link');
      const isBeside = this.#options.javaScriptEnabled && href;
      await link.first().click();
      if (isBeside) await this.#page.locator('dialog[open]').waitFor();
      else await this.#page.waitForLoadState('load');
      return this.#where();
    },

    // Presses a link with another button of the mouse or with a key held down, and gives the page that opens beside this
    // one: where it is. It is closed again.
    async beside({ text, within, button = 'left', modifiers = [] }) {
      const scope = await this.#scope(within);
      const found = await this.#one(`a link \`${text}\``, scope.getByRole('link', { name: text, exact: true }), 'a[href]');
      const [page] = await Promise.all([this.#context.waitForEvent('page'), found.click({ button, modifiers })]);
      await page.waitForLoadState('load');
      const url = page.url();
      await page.close();
      return url;
    },

    // Presses twice, as fast as a mouse does, and waits for the page that this leads to.
    async twice({ text, within }) {
      const scope = await this.#scope(within);
      const found = await this.#one(`a button \`${text}\``, scope.getByRole('button', { name: text, exact: true }), 'button');
      await found.dblclick({ noWaitAfter: true });
      await this.#page.waitForLoadState('load');
      return this.#where();
    },

    // Presses a button or a link behind which there is a file: its name and its text.
    async download({ text, within }) {
      const scope = await this.#scope(within);
      const named = ['button', 'link'].map((role) => scope.getByRole(role, { name: text, exact: true }));
      const found = await this.#one(`a button or link \`${text}\``, named[0].or(named[1]), 'button, a[href]');
      const [download] = await Promise.all([this.#page.waitForEvent('download'), found.click()]);
      return { name: download.suggestedFilename(), text: fs.readFileSync(await download.path(), 'utf8') };
    },

    // A key as the keyboard has it: `Tab`, `Enter`, `Escape`, `/`, `Shift+Tab`. In a field that is named it is waited for
    // what the key leads to.
    async key(command) {
      if (command.field) await (await this.#field(command)).press(command.key);
      else await this.#page.keyboard.press(command.key);
      await this.#page.waitForLoadState('load');
      return this.#where();
    },

    // Waits until the text can be seen somewhere on the page.
    async see({ text }) {
      try {
        await this.#page.getByText(text).filter({ visible: true }).first().waitFor();
      } catch {
        const seen = await this.#page.locator('body').innerText();
        throw new Error(`\`${text}\` is not to be seen on ${this.#page.url()}, which says:\n${seen}`);
      }
    },

    async text({ within }) {
      return this.#page.locator(within ?? 'body').innerText();
    },

    async html() {
      return this.#page.content();
    },

    async url() {
      return this.#page.url();
    },

    // Whatever else a test wants to know of the page.
    async evaluate({ expression }) {
      return this.#page.evaluate(expression);
    },

    async look(command) {
      await this.#dress(command);
    },

    async screenshot({ path, ...look }) {
      await this.#dress(look);
      // `initial`: hiding the caret would put a style into the page, which its own policy forbids.
      await this.#page.screenshot({ path, fullPage: true, caret: 'initial' });
    },

    async axe() {
      if (!this.#options.javaScriptEnabled) throw new Error('it is a script, and scripts are off here');
      if (!(await this.#page.evaluate('Boolean(globalThis.axe)'))) {
        await this.#page.evaluate(fs.readFileSync(this.#axe, 'utf8'));
      }
      const result = await this.#page.evaluate(
        (rules) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'] }),
        RULES,
      );
      return result.violations.map(({ id, impact, help, nodes }) => ({
        id,
        impact,
        help,
        nodes: nodes.map(({ target, html, failureSummary }) => ({ target: target.flat().join(' '), html, why: failureSummary })),
      }));
    },

    async javascript({ on }) {
      this.#options.javaScriptEnabled = on;
      await this.#renew();
    },

    // Those that it has; with `give` ({name, value, url}) one more.
    async cookies({ give }) {
      if (give) await this.#context.addCookies([{ httpOnly: true, sameSite: 'Lax', ...give }]);
      return this.#context.cookies();
    },

    // What the browser has complained about since it was last asked.
    async console() {
      return this.#complaints.take();
    },

    // What was fetched since it was last asked, with the bytes as they came.
    async traffic() {
      return this.#complaints.traffic();
    },

    // Opens a page of another site in the same browser, which sends this form: what it was answered, and what the browser
    // said of it. Of `fetch` it does not tell, and it may keep the answer to itself: then there is no status.
    async submit_cross_site({ url, fields = {}, way = 'form', from = 'site' }) {
      const page = await this.#context.newPage();
      try {
        const isIt = (request) => request.url() === url && request.method() === 'POST';
        const arrived = Promise.race([
          page.waitForResponse((response) => isIt(response.request())).then((response) => response.request()),
          page.waitForEvent('requestfailed', isIt),
        ]);
        arrived.catch(() => {});
        await page.goto(await this.#site.page({ url, fields, way, from }), { waitUntil: 'commit' });
        if (way === 'frame') await page.frameLocator('iframe').getByRole('button').click({ noWaitAfter: true });
        const request = await arrived;
        const failure = request.failure()?.errorText ?? '';
        const response = failure.includes('BLOCKED_BY_RESPONSE') ? null : await request.response();
        if (!response && !failure.includes('BLOCKED_BY_RESPONSE')) throw new Error(`it was not answered: ${failure}`);
        const sent = await request.allHeaders();
        // A page that is closed on its way to another one may never be.
        if (way === 'form' || way === 'redirect') await page.waitForURL((shown) => shown.href === url, { waitUntil: 'load' });
        return {
          status: response?.status() ?? null,
          site: sent['sec-fetch-site'] ?? null,
          origin: sent.origin ?? null,
          has_cookie: Boolean(sent.cookie),
        };
      } finally {
        await page.close();
      }
    },
  };
}
