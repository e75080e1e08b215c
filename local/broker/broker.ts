/**
 * The local stand-in of Knative's multi-tenant Broker on in-memory channels. A request comes in at the ingress
 * (ingress.ts), becomes an event (http-form.ts, structured.ts, event.ts) and is delivered by every Trigger that wants it
 * (dispatch.ts, filter.ts); replies come in again. plan.ts says what a Broker is made of, load.ts and check.ts make that
 * from YAML.
 */
import { EventEmitter, setMaxListeners } from 'node:events'
import { Agent, createServer, type Server } from 'node:http'
import { messageOf } from '../../shared/errors.ts'
import { listenAt } from '../listen.ts'
import { type Refuse, type Resolve, toPlans } from './check.ts'
import { deliver } from './dispatch.ts'
import type { CloudEvent } from './event.ts'
import type { Headers } from './http-form.ts'
import { admit, serveIngress } from './ingress.ts'
import type { BrokerPlan } from './plan.ts'

/** An event that a Broker accepted, from outside or as a reply. */
export interface Accepted {
  namespace: string
  broker: string
  event: CloudEvent
}

export interface BrokerOptions {
  /** Kubernetes objects as parsed from YAML; Brokers and Triggers are taken, other kinds passed over. */
  manifests: readonly unknown[]
  /** A free one when 0 or absent. */
  port?: number
  /** Where a Knative Service or the like is reached that a Trigger names as subscriber or dead letter sink. */
  resolve?: Resolve
  /** Told of Triggers with CESQL, which are then left out; without it they are an error. */
  refuse?: Refuse
  /** Told of every event that is accepted, before it is delivered. */
  observe?: (accepted: Accepted) => void
  /** Told of every delivery that failed for good. */
  warn?: (sentence: string) => void
}

export interface RunningBroker {
  /** The address that all Brokers' addresses begin with. */
  readonly base: string
  /** Where events for a Broker are POSTed. */
  url(namespace: string, name: string): string
  /** Resolves when no delivery is pending. */
  idle(): Promise<void>
  /** Breaks off every delivery and ends. */
  close(): Promise<void>
}

/** Serves every Broker of the manifests at one loopback port; throws an error that names all that is wrong with them. */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const plans = toPlans(options.manifests, options.resolve ?? (() => undefined), options.refuse)
  const broker = new LocalBroker(plans, options)
  await broker.listen(options.port ?? 0)
  return broker
}

class LocalBroker implements RunningBroker {
  readonly #plans: Map<string, BrokerPlan>
  readonly #options: BrokerOptions
  readonly #agent = new Agent({ keepAlive: true })
  readonly #closing = new AbortController()
  readonly #quiet = new EventEmitter()
  readonly #server: Server
  #pending = 0
  base = ''

  constructor(plans: BrokerPlan[], options: BrokerOptions) {
    this.#plans = new Map(plans.map((plan) => [`${plan.namespace}/${plan.name}`, plan]))
    this.#options = options
    // Every request listens to the signal.
    setMaxListeners(0, this.#closing.signal)
    const accept = (namespace: string, name: string, event: CloudEvent, headers: Headers) => {
      const plan = this.#plans.get(`${namespace}/${name}`)
      return plan ? this.#accept(plan, event, headers) : Promise.resolve(404)
    }
    this.#server = createServer({ maxHeaderSize: 1 << 20, keepAliveTimeout: 60_000 }, (request, response) => {
      serveIngress(request, response, accept).catch(() => response.destroy())
    })
  }

  async listen(port: number): Promise<void> {
    this.base = `http://127.0.0.1:${await listenAt(this.#server, port)}`
  }

  url(namespace: string, name: string): string {
    return `${this.base}/${namespace}/${name}`
  }

  async idle(): Promise<void> {
    while (this.#pending > 0) await new Promise((resolve) => this.#quiet.once('quiet', resolve))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.idle()
    this.#agent.destroy()
    await new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }

  /** Takes an event in, whether it was posted or is a reply; resolves with the status of the ingress. */
  async #accept(plan: BrokerPlan, event: CloudEvent, headers: Headers): Promise<number> {
    const admitted = admit(event)
    if (typeof admitted === 'number') return admitted
    this.#options.observe?.({ namespace: plan.namespace, broker: plan.name, event: admitted })
    const fanOut = this.#fanOut(plan, admitted, headers)
    return plan.isAsync ? 202 : fanOut
  }

  async #fanOut(plan: BrokerPlan, event: CloudEvent, headers: Headers): Promise<number> {
    this.#pending++
    const around = {
      namespace: plan.namespace,
      address: this.url(plan.namespace, plan.name),
      agent: this.#agent,
      closing: this.#closing.signal,
      accept: (reply: CloudEvent, passed: Headers) => this.#accept(plan, reply, passed),
      warn: this.#options.warn ?? (() => undefined),
    }
    try {
      const taken = await Promise.all(plan.routes.map((route) => deliver(event, headers, route, around)))
      return taken.every(Boolean) ? 202 : 500
    } catch (error) {
      if (!this.#closing.signal.aborted)
        around.warn(`Cannot deliver event "${event.attributes.id}": ${messageOf(error)}`)
      return 500
    } finally {
      this.#pending--
      if (this.#pending === 0) this.#quiet.emit('quiet')
    }
  }
}
