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

describe.skipIf(!hasPromtool)(`an alarm, as Prometheus works it out${needed}`, () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'drover-alarms-'))
    writeFileSync(join(directory, 'rules.yaml'), JSON.stringify(ruleFile))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  /** Expects of Prometheus that these alarms sound at that moment, by their labels; promtool says which do if not. */
  async function sound(alert: string, series: Record<string, string>, at: string, expected: object[]): Promise<void> {
    const input_series = Object.entries(series).map(([name, values]) => ({ series: name, values }))
    const expr = `ALERTS{alertname="${alert}", alertstate="firing"}`
    const exp_samples = expected.map((labels) => ({ labels: toSeries({ alertname: alert, ...labels }), value: 1 }))
    const tests = [{ interval: '1m', input_series, promql_expr_test: [{ expr, eval_time: at, exp_samples }] }]
    const file = join(directory, `${alert}.json`)
    writeFileSync(file, JSON.stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }))
    const said = promtool('promtool', ['test', 'rules', file]).catch((error: { stdout: string; stderr: string }) =>
      expect.fail(`${error.stdout}${error.stderr}`),
    )
    expect((await said).stdout).toContain('SUCCESS')
  }

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
