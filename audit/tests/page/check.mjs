// Opens a page that `audit html` wrote in a real browser, uses it, and leaves pictures of it.
//
//     node check.mjs PAGE PICTURES SITE
//
// SITE is one whose weakening was killed. Exits with 1 at the first thing that is not as it should be.
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [page_file, pictures, site] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
try {
  for (const scheme of ['light', 'dark']) {
    const page = await browser.newPage({ colorScheme: scheme, viewport: { width: 1400, height: 1000 } });
    const complaints = [];
    page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => { if (!request.url().startsWith('file:')) complaints.push(`asks for ${request.url()}`); });
    await page.goto(pathToFileURL(path.resolve(page_file)).href);
    const rows = page.locator('#sites tbody tr');
    const all = await rows.count();
    assert.ok(all > 1, 'there are sites');
    const dark = await page.evaluate(() => document.documentElement.classList.contains('dark'));
    assert.equal(dark, scheme === 'dark', 'it follows the system');

    await page.keyboard.press('/');
    await page.keyboard.type(`${site} killed`);
    const left = await rows.count();
    assert.ok(left >= 1 && left < all, 'the filter leaves some');
    await page.keyboard.press('Escape');
    await page.locator(`#sites tr[data-site="${site}"]`).focus();
    await page.keyboard.press('Enter');
    const steps = page.locator('#detail .steps [role=status]');
    assert.match(await steps.textContent(), /^step (\d+) of \1:/, 'it opens at the last step');
    const boxes = page.locator('#detail svg g.row');
    const last = await boxes.count();
    assert.ok(last > 2, 'the execution is drawn');
    assert.ok(await page.locator('#detail svg g.bad').count() >= 1, 'what is wrong is marked');
    await page.locator('#detail').scrollIntoViewIfNeeded();
    await page.screenshot({ path: path.join(pictures, `page-${scheme}.png`) });

    await page.keyboard.press('Home');
    assert.match(await steps.textContent(), /^step 1 of /);
    assert.equal(await page.locator('#detail svg g.later').count(), last - 1, 'what is still to come is faint');
    await page.keyboard.press('ArrowRight');
    assert.match(await steps.textContent(), /^step 2 of /);
    await page.keyboard.press('ArrowLeft');
    assert.match(await steps.textContent(), /^step 1 of /);
    let sources = 0;
    for (let step = 0; step < last; step += 1) {
      sources += await page.locator('#detail .source .here').count();
      await page.keyboard.press('ArrowRight');
    }
    assert.ok(sources > 0, 'some step shows its line of the source');
    await page.keyboard.press('t');
    assert.notEqual(await page.evaluate(() => document.documentElement.classList.contains('dark')), dark);
    await page.keyboard.press('Escape');
    assert.ok(await page.locator('#detail').isHidden());
    await page.locator('#filter').fill('');
    assert.equal(await rows.count(), all, 'without a filter all are there');
    assert.deepEqual(complaints, [], 'nothing is complained of, and nothing asked for');
    await page.close();
  }
} finally {
  await browser.close();
}
