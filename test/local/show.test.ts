import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { Show } from '../../local/show.ts'
import { runId } from '../../shared/run.ts'

const run = runId('/me', '1')
const seen = (fact: string, at: number, data: object, attributes: Partial<Seen> = {}): Seen => ({
  id: '1',
  type: `dev.drover.provision.${fact}`,
  source: '/me',
  subject: undefined,
  run,
  at,
  data,
  json: '',
  ...attributes,
})

const drawn = (...events: Seen[]): string => {
  const out = new PassThrough()
  const show = new Show(out as unknown as NodeJS.WriteStream)
  for (const event of events) show.draw(event)
  return String(out.read() ?? '')
}

describe('Show', () => {
  it('measures the first task from the request, whoever posted it', () => {
    const request = seen('requested', 1000, {}, { run: undefined })
    const task = { status: 'success', eventTask: 'Provisioning', eventSubTask: 'Validate parameters', message: 'Fine' }
    expect(drawn(request, seen('validated', 1234, task, { subject: 'shop/web' }))).toBe(
      `\nProvisioning shop/web run ${run}\n  ✔ ${'Validate parameters'.padEnd(50)}   234 ms  Fine\n`,
    )
  })

  it.each<[string, object, string]>([
    ['lacks every text', { status: 'success' }, 'dev.drover.provision.placed'],
    ['has no text for text', { status: 'failure', eventTask: 1, eventSubTask: {}, message: [2] }, '1 run '],
    ['has no text in its progress', { status: 'progress', eventTask: 1, eventSubTask: {}, message: [2] }, '1 run '],
  ])('draws a forged event that %s', (_, data, text) => {
    const shown = drawn(seen('placed', 0, data))
    expect(shown).toContain(text)
    expect(shown).not.toContain('undefined')
  })

  it('lets no event move the cursor', () => {
    const data = { status: 'failure', eventTask: '\u001b[2J', eventSubTask: 'a\rb', message: 'x\n\u009b1Ay' }
    const lines = drawn(seen('placed', 0, data, { subject: 's\u0007' })).split('\n')
    expect(lines).toHaveLength(4)
    expect(lines.join('')).not.toMatch(/\p{Cc}/u)
  })
})
