import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { instruments } from '../../shared/telemetry/metrics.ts'
import { conditions } from './conditions.ts'
import { alarms, dashboard, dashboardLabels, ruleFile, rules } from './monitoring.ts'

// go install -tags netgo,remove_all_sd github.com/prometheus/prometheus/cmd/promtool@latest: without what it finds targets by,
// it is built in minutes.
const promtool = promisify(execFile)
const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const needed = hasPromtool ? '' : ' (skipped: it needs promtool, which comes with Prometheus, on the PATH)'

/** Every series that there is to ask for: ours, those of the runtime that are shown, Argo CD's, and what rules record. */
const known = new Set([
  ...instruments.flatMap(({ name, kind }) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
  ...rules.flatMap(({ record }) => record ?? []),
  ...['argocd_app_info', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds'],
])
const asked = (expr: string) => expr.match(/\b(?:drover|argocd|process|nodejs|faas)[a-z0-9_:]+/g) ?? []

describe('an expression', () => {
  const expressions: [string, string][] = [
    ...rules.map(({ alert, record, expr }): [string, string] => [alert ?? record ?? '', expr]),
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
  ]
  it.each(expressions)('of "%s" asks for what is measured', (_, expr) => {
    expect(asked(expr)).not.toEqual([])
    for (const name of asked(expr)) expect([...known]).toContain(name)
  })

  it('asks only for labels that the instrument has', () => {
    const labels = new Set(['function', 'le', 'name', 'sync_status', ...instruments.flatMap((one) => one.labels)])
    for (const [, expr] of expressions)
      for (const [, name = ''] of expr.matchAll(/([a-z_]+)(?:=~|!~|!=|=)"/g)) expect([...labels]).toContain(name)
  })
})

describe('an alarm', () => {
  const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

  it.each(alarms)('$alert says what is the matter, and stands in docs/operations.md', ({ alert, annotations }) => {
    expect(annotations).toEqual({ summary: expect.any(String), description: expect.any(String) })
    expect(text).toContain(`\`${alert}\``)
  })

  it('of docs/operations.md is there', () => {
    const named = [...text.matchAll(/`(Drover[A-Z]\w+)`/g)].map((match) => match[1] ?? '')
    expect(new Set(named)).toEqual(new Set(alarms.map(({ alert }) => alert)))
  })

  it('has a condition that makes it true, each of them', () => {
    expect(Object.keys(conditions).sort()).toEqual(alarms.map(({ alert }) => alert).sort())
    for (const { series, silent } of Object.values(conditions))
      for (const name of Object.keys({ ...series, ...silent }).flatMap(asked)) expect([...known]).toContain(name)
  })
})

let directory: string
let files = 0
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'drover-alarms-'))
  writeFileSync(join(directory, 'rules.yaml'), JSON.stringify(ruleFile))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Expects of Prometheus that an expression is worth this at that moment; promtool says what it is worth if not. */
async function worth(expr: string, series: Record<string, string>, at: string, exp_samples: object[]): Promise<void> {
  const input_series = Object.entries(series).map(([name, values]) => ({ series: name, values }))
  const tests = [{ interval: '1m', input_series, promql_expr_test: [{ expr, eval_time: at, exp_samples }] }]
  const file = join(directory, `${++files}.json`)
  writeFileSync(file, JSON.stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }))
  const said = promtool('promtool', ['test', 'rules', file]).catch((error: { stdout: string; stderr: string }) =>
    expect.fail(`${error.stdout}${error.stderr}`),
  )
  expect((await said).stdout).toContain('SUCCESS')
}

describe.skipIf(!hasPromtool)(`an alarm, as Prometheus works it out${needed}`, () => {
  /** Expects of Prometheus that these alarms sound at that moment, by their labels. */
  const sound = (alert: string, series: Record<string, string>, at: string, expected: object[]): Promise<void> =>
    worth(
      `ALERTS{alertname="${alert}", alertstate="firing"}`,
      series,
      at,
      expected.map((labels) => ({ labels: toSeries({ alertname: alert, ...labels }), value: 1 })),
    )

  it('is of a file that promtool takes', async () => {
    const { stdout } = await promtool('promtool', ['check', 'rules', '--lint=all', join(directory, 'rules.yaml')])
    expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`)
  })

  it.each(Object.entries(conditions))('%s sounds when its condition is true', (alert, { series, at, labels }) =>
    sound(alert, series, at, [labels]),
  )

  it.each(Object.entries(conditions))('%s is silent when it is not', (alert, { silent, at }) =>
    sound(alert, silent, at, []),
  )

  const others = Object.entries(conditions).flatMap(([alert, { at, also }]) => (also ? [{ alert, at, ...also }] : []))
  it.each(others)('$alert sounds for its other reason too', ({ alert, series, at, labels }) =>
    sound(alert, series, at, [labels]),
  )

  const passing = Object.entries(conditions).flatMap(([alert, { series, over }]) =>
    over === undefined ? [] : [{ alert, series, over }],
  )
  it.each(passing)('$alert is silent again when it has been true long ago', ({ alert, series, over }) =>
    sound(alert, series, over, []),
  )

  // Nothing has happened but that nobody scraped for a while: what was counted long ago is counted already.
  const ofGrowth = alarms.filter(({ expr }) => expr.includes(':growth')).map(({ alert }) => alert)
  it.each(ofGrowth.flatMap((alert) => [3, 20, 90].map((gap) => [alert, gap] as const)))(
    '%s stays silent after %i minutes without a scrape',
    (alert, gap) => {
      const names = Object.keys(conditions[alert]?.series ?? {}).filter((name) => /_(?:total|count)\{/.test(name))
      expect(names).not.toEqual([])
      const series = Object.fromEntries(names.map((name) => [name, `9x80 stale _x${gap} 9x120`]))
      // What it said while the series was new is over by then.
      const said = `count_over_time(ALERTS{alertname="${alert}", alertstate="firing"}[${gap + 100}m])`
      return worth(said, series, `${gap + 181}m`, [])
    },
  )

  it.each<[string, string, string, number]>([
    ['what goes on', '0+1x60', '40m', 15],
    ['what is new', '_x20 1x60', '30m', 1],
    ['what was new a while ago', '_x20 1x60', '36m', 0],
    ['what stands still', '9x60', '40m', 0],
    ['what went on while nobody scraped', '9x20 stale _x20 11x60', '45m', 2],
    ['what went on while nobody scraped, a while ago', '9x20 stale _x20 11x60', '57m', 0],
    ['a container that was started anew', '9x20 2x60', '25m', 2],
    ['a container that was started anew a while ago', '9x20 2x60', '37m', 0],
    ['a container that was started anew while nobody scraped', '9x20 stale _x20 2x60', '45m', 2],
    ['a container that has counted as much again', '9x20 0+3x3 9x60', '27m', 9],
    ['an instance that is gone', '_x20 1x2 stale', '30m', 1],
    ['an instance that is long gone', '_x20 1x2 stale', '38m', 0],
  ])('counts as growth of %s (%s) after %s: %i', (_, values, at, value) => {
    const series = { 'drover_dead_letters_total{pod="recover-1",function="recover",task="place"}': values }
    // Where a counter began anew Prometheus reckons with what it may have missed; an instance that is long gone has no growth.
    return worth('sum(round(drover:dead_letters:growth15m)) or vector(0)', series, at, [{ labels: '{}', value }])
  })
})

describe.skipIf(!hasPromtool)(`a panel, as Prometheus works it out${needed}`, () => {
  const looked = { 'drover_oldest_run_seconds{pod="recover-1",function="recover"}': '0x60' }
  const series = (name: string, values: string) => ({
    [`${name.replace('{', '{pod="recover-1",function="recover",')}`]: values,
  })
  const letters = series('drover_dead_letters_total{task="place"}', '_x20 1x2 stale')
  const [open, stranded] = ['Open runs', 'Stranded: wait for a person']
  it.each<[title: string, what: string, Record<string, string>, number | undefined]>([
    // What nobody has looked at is not 0, which would say that all is well.
    [open, 'nobody looks', {}, undefined],
    [stranded, 'nobody looks', {}, undefined],
    ['Dead letters in a day', 'nobody looks', {}, undefined],
    [open, 'there is none', looked, 0],
    [stranded, 'there is none', looked, 0],
    ['Dead letters in a day', 'there is none', looked, 0],
    [open, 'one waits', { ...looked, ...series('drover_runs{lifecycle="patch",state="stranded"}', '1x60') }, 0],
    [stranded, 'one waits', { ...looked, ...series('drover_runs{lifecycle="patch",state="stranded"}', '1x60') }, 1],
    [open, 'one runs', { ...looked, ...series('drover_runs{lifecycle="patch",state="running"}', '1x60') }, 1],
    ['Dead letters in a day', 'an instance had one and is gone', { ...looked, ...letters }, 1],
  ])('"%s", while %s', (title, _, given, value) => {
    const { expr = '' } = dashboard.panels.find((panel) => panel.title === title)?.targets[0] ?? {}
    return worth(expr, given, '60m', value === undefined ? [] : [{ labels: '{}', value }])
  })
})

const toSeries = (labels: object) =>
  `ALERTS{alertstate="firing",${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`

describe('the dashboard', () => {
  it('is taken up by Grafana’s sidecar', () => {
    expect(dashboardLabels).toMatchObject({ grafana_dashboard: '1' })
    expect(dashboard.title).toBe('Drover')
  })

  it('shows each panel once, and none over another', () => {
    const ids = dashboard.panels.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)])
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
    )
    expect(cells).toEqual([...new Set(cells)])
  })

  it('shows everything that Drover measures', () => {
    const shown = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => asked(expr)))
    const recorded = rules.flatMap(({ record, expr }) => (record && shown.includes(record) ? asked(expr) : []))
    const all = [...shown, ...recorded, ...rules.flatMap(({ expr }) => asked(expr))]
    for (const { name } of instruments)
      expect(
        all.some((one) => one.startsWith(name)),
        name,
      ).toBe(true)
  })
})
