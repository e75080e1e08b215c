import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { brokerPoster } from '../../../shared/clients/broker.ts'
import { openFleet } from '../../../shared/clients/git.ts'
import { DroverError } from '../../../shared/errors.ts'
import type { Event } from '../../../shared/event.ts'
import { sweep } from '../../../shared/event-types.ts'
import { keepSecret } from '../../../shared/secrets.ts'
import { refused, succeeded } from '../../../shared/step.ts'
import type { Exporting } from '../../../shared/telemetry/export.ts'
import { outside } from '../../../shared/telemetry/outside.ts'
import { runOf } from '../../examples/starter.ts'
import { requestEvent } from '../events.ts'
import { shellOf } from '../shells.ts'

/** The SDK with its real exporters, and a collector that keeps what it is sent. */

interface Span {
  name: string
  traceId: string
  spanId: string
  parentSpanId?: string
  status: { code?: number; message?: string }
  attributes: { key: string; value: Record<string, unknown> }[]
}

const sent: { path: string; body: unknown }[] = []
const warned: object[] = []
/** What the collector answers, and says back as it should not. */
let status = 200
let collector: Server
let exporting: Exporting

beforeAll(async () => {
  collector = createServer(async (request, response) => {
    sent.push({ path: request.url ?? '', body: await json(request) })
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(status === 200 ? '{}' : JSON.stringify(request.headers))
  })
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const { port } = collector.address() as AddressInfo
  // The exporters read it by themselves.
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${port}`)
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=canary-of-the-collector')
  vi.stubEnv('OTEL_METRIC_EXPORT_INTERVAL', '1500')
  const { startExport } = await import('../../../shared/telemetry/export.ts')
  exporting = startExport('drover-place', { warn: (...said: unknown[]) => void warned.push(said) })
})
afterAll(() => {
  vi.unstubAllEnvs()
  collector.closeAllConnections()
  collector.close()
})

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

async function spansOf(act: () => Promise<unknown>): Promise<Span[]> {
  sent.length = 0
  await act()
  await exporting.flush()
  const batches = sent.filter(({ path }) => path === '/v1/traces').map(({ body }) => body)
  return batches.flatMap((body) =>
    (body as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }).resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans),
    ),
  )
}

const attribute = ({ attributes }: Span, key: string) => attributes.find((one) => one.key === key)?.value['stringValue']

describe('a trace', () => {
  it('sends numbers as often as it is told to, though nobody asks for them', async () => {
    sent.length = 0
    await vi.waitFor(() => expect(sent.map(({ path }) => path)).toContain('/v1/metrics'), { timeout: 10_000 })
  })

  it('is begun by the request and goes on with each event, answers and progress alike', async () => {
    const { deliver, posted } = shellOf(async (_, here) => {
      await here.progress('waiting')
      return succeeded('placed', { cluster: 'site-a' })
    })
    let answer: Awaited<ReturnType<typeof deliver>> | undefined
    const request = requestEvent({ extensions: { traceparent, tracestate: 'rojo=1' } })
    const [span, ...others] = await spansOf(async () => {
      answer = await deliver(request)
    })
    expect(others).toEqual([])
    expect(span).toMatchObject({ name: 'provision validate', traceId, parentSpanId: 'b7ad6b7169203331' })
    expect(span && attribute(span, 'drover.outcome')).toBe('succeeded')
    const said = { traceparent: `00-${traceId}-${span?.spanId}-01`, tracestate: 'rojo=1' }
    expect(answer).toMatchObject({ event: { extensions: said } })
    expect(posted[0]?.extensions).toMatchObject(said)
  })

  it('has a span for each call to the outside, below that of its step', async () => {
    const asked: string[] = []
    const broker = createServer((incoming, response) => {
      asked.push(String(incoming.headers['traceparent']))
      response.writeHead(202).end()
    }).listen(0, '127.0.0.1')
    await once(broker, 'listening')
    const post = brokerPoster(`http://127.0.0.1:${(broker.address() as AddressInfo).port}/?token=hunter2`)
    const { deliver } = shellOf(async () => {
      await post?.(requestEvent() as Event)
      return succeeded('ok')
    })
    const spans = await spansOf(() => deliver(requestEvent({ extensions: { traceparent } })))
    broker.close()
    const step = spans.find(({ name }) => name === 'provision validate')
    const call = spans.find(({ name }) => name === 'broker post')
    expect(call).toMatchObject({ traceId, parentSpanId: step?.spanId })
    expect(asked).toEqual([`00-${traceId}-${call?.spanId}-01`])
    expect(JSON.stringify(sent)).not.toContain('hunter2')
  })

  it('says what failed in our own words, and never in those of a library', async () => {
    const fails = (error: unknown) => async () => {
      await outside({ to: 'cmdb', what: 'POST' }, () => Promise.reject(error)).catch(() => undefined)
    }
    const [ours] = await spansOf(fails(new DroverError('broken', 'Cannot reach the CMDB')))
    expect(ours?.status).toMatchObject({ code: 2, message: 'Cannot reach the CMDB' })
    const [theirs] = await spansOf(fails(new Error('token=hunter2 is bad')))
    expect(theirs?.status.code).toBe(2)
    expect(JSON.stringify(sent)).not.toContain('hunter2')
  })

  it('holds no secret that others have put into our words', async () => {
    const secret = keepSecret('canary-of-a-server')
    const said = () => Promise.reject(new DroverError('broken', `Cannot push: the server said ${secret}`))
    const [call] = await spansOf(() => outside({ to: 'git push' }, said).catch(() => undefined))
    const [step] = await spansOf(() => shellOf(async () => refused(`no: ${secret}`)).deliver(requestEvent()))
    expect([call?.status.message, step?.status.message]).toEqual([
      'Cannot push: the server said [redacted]',
      'no: [redacted]',
    ])
    expect(JSON.stringify(sent)).not.toContain(secret)
  })

  it('says that a commit has not landed, and that a run could not be made to go on', async () => {
    const fleet = openFleet({
      url: 'http://127.0.0.1:1/fleet.git',
      branch: 'main',
      directory: join(tmpdir(), `drover-no-clone-${process.pid}`),
      author: { name: 'Drover', email: 'drover@example.com' },
      tries: 1,
    })
    const commit = { subject: 'x', trailers: {}, decide: () => expect.fail('nothing can be read') }
    const commits = await spansOf(() => fleet.transact(commit as never).catch(() => undefined))
    await fleet.close()
    const failed = { code: 2, message: expect.stringMatching(/^Cannot /) }
    for (const name of ['git commit', 'git land'])
      expect(commits.find((one) => one.name === name)?.status, name).toEqual(failed)

    const standing = [{ run: runOf({ task: 'name' }), outcome: succeeded('lost') }]
    const look = { standing, open: [], networks: [], unreadable: [], problems: [] }
    const post = () => Promise.reject(new DroverError('broken', 'Cannot post it'))
    const wired = async () => ({ step: async () => succeeded('never asked'), sweep: async () => look, post })
    const tick = { id: 'tick', source: '/timer', type: sweep.type, extensions: {}, data: {} }
    const ticks = await spansOf(() => shellOf(undefined, { wired }).deliver(tick))
    const going = ticks.find(({ name }) => name === 'go on with provision')
    expect(going?.status).toEqual({ code: 2, message: 'Cannot post it' })
  })

  it('is begun by the function that is asked, where the request has none', async () => {
    const { deliver } = shellOf()
    let answer: Awaited<ReturnType<typeof deliver>> | undefined
    const spans = await spansOf(async () => {
      answer = await deliver(requestEvent())
    })
    expect(spans).toMatchObject([{ name: 'provision validate' }])
    const [span] = spans
    expect(span?.parentSpanId ?? '').toBe('')
    expect(answer).toMatchObject({ event: { extensions: { traceparent: `00-${span?.traceId}-${span?.spanId}-01` } } })
  })
})

describe('an export that fails', () => {
  it('is told of in the log, once for traces and once for metrics, without what the collector says back', async () => {
    status = 401
    for (let count = 0; count < 2; count++) await spansOf(() => shellOf().deliver(requestEvent()))
    status = 200
    expect(warned).toHaveLength(2)
    expect(warned).toEqual(
      expect.arrayContaining([
        [{ exports: 'traces' }, 'Cannot export traces: the collector answered 401'],
        [{ exports: 'metrics' }, 'Cannot export metrics: the collector answered 401'],
      ]),
    )
    expect(JSON.stringify(warned)).not.toContain('canary')
  })
})

describe('OTLP', () => {
  it('is sent the same numbers as /metrics shows, under the function’s name', async () => {
    const { callSeconds, commitsPerPush, retries } = await import('../../../shared/telemetry/metrics.ts')
    for (const count of [1, 4, 200]) commitsPerPush.observe(count)
    retries.inc({ of: 'push' }, 3)
    callSeconds.observe({ to: 'dns' }, 0.02)
    await spansOf(async () => undefined)
    const body = sent.findLast(({ path }) => path === '/v1/metrics')?.body as {
      resourceMetrics: { resource: object; scopeMetrics: { metrics: { name: string }[] }[] }[]
    }
    const [{ resource, scopeMetrics } = { resource: {}, scopeMetrics: [] }] = body.resourceMetrics
    expect(JSON.stringify(resource)).toContain('"drover-place"')
    // Two replicas of a function must not write one series.
    expect(resource).toMatchObject({
      attributes: expect.arrayContaining([
        { key: 'service.instance.id', value: { stringValue: expect.stringMatching(/^[0-9a-f-]{36}$/) } },
      ]),
    })
    const metric = (name: string) =>
      scopeMetrics.flatMap(({ metrics }) => metrics).find((one) => one.name === name) ?? expect.fail(name)
    expect(metric('drover_commits_per_push')).toMatchObject({
      histogram: {
        dataPoints: [
          {
            count: 3,
            sum: 205,
            explicitBounds: [1, 2, 3, 5, 10, 20, 50, 100],
            bucketCounts: [1, 0, 0, 1, 0, 0, 0, 0, 1],
          },
        ],
      },
    })
    expect(metric('drover_retries_total')).toMatchObject({ sum: { isMonotonic: true, dataPoints: [{ asDouble: 3 }] } })
    expect(metric('drover_queue_length')).toMatchObject({ gauge: { dataPoints: [{ asDouble: 0 }] } })
  })
})
