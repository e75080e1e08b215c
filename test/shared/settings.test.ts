import { describe, expect, it } from 'vitest'
import { readConfig } from '../../shared/config.ts'
import { type Setting, settings } from '../../shared/settings.ts'

const enough = { DROVER_GIT_URL: 'https://git.example.com/fleet.git', DROVER_SIGNING_KEYS: 'k1:0123456789abcdef' }
const rows: Setting[] = Object.values(settings).flat()

describe('the table of settings', () => {
  const defaults = rows.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))
  it.each(defaults)('says of %s what holds when it is not set: %s', (name = '', value) => {
    const host = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }
    // What it holds beside values, such as how a secret is read, is made anew each time.
    const read = (env: Record<string, string | undefined>) => JSON.stringify(readConfig({ ...enough, ...host, ...env }))
    expect(read({ [name]: value })).toEqual(read({}))
    expect(read({})).toContain(value)
  })

  const ranges = rows.flatMap(({ name, says }): [string, number, number][] => {
    const [, least, most] = /\(([\d.]+) to ([\d.]+)\)/.exec(says) ?? []
    return least === undefined ? [] : [[name, Number(least), Number(most)]]
  })
  it.each(ranges)('says of %s that it goes from %d to %d', (name, least, most) => {
    // An error is not to last longer than a delivery.
    const fitting = { DROVER_PATIENCE_SECONDS: '600', DROVER_GRACE_SECONDS: '0' }
    const read = (value: number) => readConfig({ ...enough, ...fitting, [name]: String(value) })
    expect(JSON.stringify([read(least), read(most)])).toContain(String(most))
    const sentence = (value: number) => `${name} is "${value}", wanted a number from ${least} to ${most}`
    expect(() => read(least - 0.001)).toThrow(sentence(least - 0.001))
    expect(() => read(most + 1)).toThrow(sentence(most + 1))
  })

  it('has a range for each number', () => {
    expect(ranges).toHaveLength(
      rows.filter(({ name }) => /_(SECONDS|MINUTES)$|^PORT$|^DROVER_METRICS_PORT$/.test(name)).length,
    )
  })
})
