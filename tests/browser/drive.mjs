// Drives a real Chromium for the tests: commands come as lines of JSON, answers go as lines of JSON.
//
//   node drive.mjs FOLDER      FOLDER has `node_modules` with playwright-core and axe-core (tests/run puts them there)
//
// The first line says that it is ready: {"ready": "<version of the browser>"}, or {"failed": "<why not>"}.
// Then {"id": 1, "tab": 7, "do": "open", "url": "…"} is answered by {"id": 1, "done": …} or {"id": 1, "error": "…"}.
// A tab is one visitor with cookies of its own: `begin` makes it, `end` takes it away. What is asked of one tab is done
// in order; different tabs work side by side. When standard input ends, so does the browser.
//
// TESTS_CHROMIUM names the browser's program; without it, it is Debian's.

import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import { SecondSite } from './second_site.mjs';
import { DEADLINE_MS, Tab } from './tab.mjs';

// No sandbox: the tests may run as root, and nothing is opened but their own pages. Nothing is fetched from elsewhere.
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// The first line of what went wrong: the rest is the library's own story.
function reason(error) {
  const text = String(error?.message ?? error).replace(/\u001b\[[0-9;]*m/g, '');
  return text.split('\nCall log:')[0].trim();
}

async function within(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

class Driver {
  constructor(browser, tools) {
    this.browser = browser;
    this.tools = tools;
    this.tabs = new Map();
    this.turns = new Map();
  }

  async carryOut(command) {
    const { tab: number } = command;
    if (command.do === 'begin') {
      const tab = new Tab(this.browser, this.tools);
      await tab.begin(command);
      this.tabs.set(number, tab);
      return null;
    }
    const tab = this.tabs.get(number);
    if (!tab) throw new Error(`there is no tab ${number}`);
    if (command.do === 'end') {
      this.tabs.delete(number);
      this.turns.delete(number);
      return tab.end();
    }
    const known = Tab.commands[command.do];
    if (!known) throw new Error(`unknown command \`${command.do}\`; known: begin, end, ${Object.keys(Tab.commands).join(', ')}`);
    return known.call(tab, command);
  }

  // In the order in which it was asked, for each tab.
  take(line) {
    let command;
    try {
      command = JSON.parse(line);
    } catch (error) {
      say({ id: null, error: `no JSON: ${error.message}` });
      return;
    }
    const before = this.turns.get(command.tab) ?? Promise.resolve();
    const turn = before.then(async () => {
      try {
        say({ id: command.id, done: (await within(this.carryOut(command))) ?? null });
      } catch (error) {
        const { id, tab, do: what, ...asked } = command;
        say({ id, error: `${what} ${JSON.stringify(asked)}: ${reason(error)}` });
      }
    });
    this.turns.set(command.tab, turn);
  }
}

async function main() {
  const require = createRequire(path.join(path.resolve(process.argv[2] ?? '.'), 'package.json'));
  const { chromium } = require('playwright-core');
  const executablePath = process.env.TESTS_CHROMIUM || '/usr/bin/chromium';
  // With a new, empty folder for what it keeps, which is removed at its end.
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS, headless: true });
  const site = new SecondSite();
  const driver = new Driver(browser, { axe: require.resolve('axe-core/axe.min.js'), site });
  browser.on('disconnected', () => process.exit(0));
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => driver.take(line));
  lines.on('close', () => browser.close());
  say({ ready: browser.version() });
}

main().catch((error) => {
  say({ failed: reason(error) });
  process.exitCode = 1;
});
