/** The status that Knative's objects have. */
export interface WithConditions {
  status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] }
}

/** Why an object is not Ready; undefined when it is. */
export function unreadiness({ status }: WithConditions): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  if (ready?.status === 'True') return undefined
  return ready?.message || ready?.reason || 'it has no status yet'
}
