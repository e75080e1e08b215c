import { eventType } from '../../shared/event-types.ts'
import { type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'

/** Tells somebody outside how a run ended. */
export interface Callback {
  /** Posts JSON; answers the HTTP status, or throws DroverError('refused') where it must not be reached. */
  post(url: string, headers: Record<string, string>, body: string): Promise<number>
}

/** Give feedback to the requester: the terminal event is for everybody, and the callback for who asked for one. */
export async function notify(run: Run, callback: Callback): Promise<Outcome> {
  const url = run.facts.callback?.url
  if (url === undefined) return succeeded(`The run ended: ${run.message}`)
  const status = await callback.post(
    url,
    { 'content-type': 'application/cloudevents+json' },
    JSON.stringify(toEvent(run)),
  )
  if (status >= 200 && status < 300)
    return succeeded(`The run ended, and ${new URL(url).host} was told: ${run.message}`)
  // What the other side may mend is tried again; its refusal is final. The machine stays as it is either way.
  if (status >= 500 || status === 429 || status === 408) throw new Error(`the callback answered ${status}`)
  return refused(`Cannot tell ${new URL(url).host} how the run ended: it answered ${status}`)
}

/** The terminal event as the callback gets it: what happened, without the inner workings. */
function toEvent({ id, lifecycle, fact, facts, request, message, failure, requester }: Run) {
  const { name, cluster, interfaces, dns, observed, revision, cmdb, kept } = facts
  return {
    specversion: '1.0',
    id: `${id}-${fact}`,
    source: '/drover/notify',
    type: eventType(lifecycle, fact),
    datacontenttype: 'application/json',
    runid: id,
    data: {
      vmName: name ?? '',
      namespace: request.namespace,
      requester,
      message,
      failure,
      cluster,
      interfaces,
      dns,
      observed,
      revision,
      cmdb,
      kept,
    },
  }
}
