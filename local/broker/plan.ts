import type { TriggerFilters } from './filter.ts'

/** How often and how long a delivery is tried. */
export interface Policy {
  retry: number
  /** The pause after the attempt of this number, counted from 0, in milliseconds. */
  pause: (attempt: number) => number
  /** How long one attempt may take, in milliseconds; without it there is no end. */
  timeout: number | undefined
}

/** A Trigger with all that its Broker hands down. */
export interface Route {
  name: string
  filters: TriggerFilters
  subscriber: string
  deadLetterSink: string | undefined
  policy: Policy
  isStructured: boolean
}

/** A Broker with its Triggers. */
export interface BrokerPlan {
  namespace: string
  name: string
  /** With the annotation `messaging.knative.dev/async-handler`: 202 as soon as the event is accepted. */
  isAsync: boolean
  routes: Route[]
}
