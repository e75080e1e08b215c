/** For each alarm of `broker/monitoring` what makes it true, as Prometheus would have scraped it, and what does not yet. */
export interface Condition {
  /** A sample each minute, in promtool's notation. */
  series: Record<string, string>
  at: string
  labels: Record<string, string>
  /** The same, but a little less: the alarm is silent. */
  silent: Record<string, string>
  /** Where it sounds for another reason too: what is there then, and the labels. */
  also?: Pick<Condition, 'series' | 'labels'>
  /** When it is silent again after the series, if nothing more has happened since. */
  over?: string
}

const recover = 'pod="recover-1",function="recover"'
const commit = 'pod="commit-1",function="commit"'
const verify = 'pod="verify-1",function="verify"'
/** All is well: 60 minutes of it. */
const well = { [`drover_sweep_timestamp_seconds{${recover}}`]: '0+60x120' }

export const conditions: Record<string, Condition> = {
  DroverRunStranded: {
    series: { ...well, [`drover_runs{${recover},lifecycle="patch",state="stranded"}`]: '1x10' },
    at: '5m',
    labels: { lifecycle: 'patch', severity: 'warning' },
    silent: { ...well, [`drover_runs{${recover},lifecycle="patch",state="running"}`]: '1x10' },
  },
  DroverRunOverdue: {
    series: { ...well, [`drover_overdue_seconds{${recover}}`]: '0+60x20' },
    at: '9m',
    labels: { severity: 'critical' },
    silent: { ...well, [`drover_overdue_seconds{${recover}}`]: '240x20' },
  },
  DroverUndoLong: {
    series: { ...well, [`drover_runs{${recover},lifecycle="restore",state="undoing"}`]: '1x40' },
    at: '30m',
    labels: { lifecycle: 'restore', severity: 'warning' },
    // One after the other.
    silent: { ...well, [`drover_runs{${recover},lifecycle="restore",state="undoing"}`]: '1x12 0 1x12 0 1x12' },
  },
  DroverNobodyLooks: {
    series: { [`drover_sweep_timestamp_seconds{${recover}}`]: '0x30' },
    at: '12m',
    labels: { severity: 'critical' },
    silent: well,
  },
  DroverEventsLost: {
    series: { ...well, [`drover_resumed_runs_total{${recover},lifecycle="provision"}`]: '0+1x70' },
    at: '60m',
    labels: { severity: 'warning' },
    // Once, after a restart.
    silent: { ...well, [`drover_resumed_runs_total{${recover},lifecycle="provision"}`]: '0 0 7x70' },
  },
  DroverManyRolledBack: {
    series: { ...well, [`drover_run_ends_total{${recover},lifecycle="provision",end="rolledback"}`]: '5x90' },
    at: '5m',
    over: '70m',
    labels: { lifecycle: 'provision', end: 'rolledback', severity: 'warning' },
    silent: { ...well, [`drover_run_ends_total{${recover},lifecycle="provision",end="rolledback"}`]: '2x10' },
  },
  DroverRecordUnreadable: {
    series: { ...well, [`drover_unreadable_records{${recover}}`]: '1x20' },
    at: '6m',
    labels: { severity: 'warning' },
    silent: { ...well, [`drover_unreadable_records{${recover}}`]: '0x20' },
  },
  DroverNetworkNearlyFull: {
    series: { ...well, [`drover_free_addresses{${recover},network="servers",family="4"}`]: '9x20' },
    at: '6m',
    labels: { network: 'servers', family: '4', severity: 'warning' },
    silent: { ...well, [`drover_free_addresses{${recover},network="servers",family="4"}`]: '10x20' },
  },
  DroverRequesterNotTold: {
    // The instance was started by this very event: there is no sample before it.
    series: {
      ...well,
      'drover_step_seconds_count{pod="notify-1",function="notify",task="notify",outcome="refused"}': '_ _ 1x60',
    },
    at: '5m',
    over: '40m',
    labels: { severity: 'info' },
    // The callback could not be reached, however often the Broker tried.
    also: {
      series: {
        ...well,
        [`drover_step_seconds_count{${recover},task="notify",outcome="buried"}`]: '_ _ 1x60',
      },
      labels: { severity: 'info' },
    },
    silent: {
      ...well,
      'drover_step_seconds_count{pod="notify-1",function="notify",task="notify",outcome="succeeded"}': '_ _ 1x10',
    },
  },
  DroverForgedEvents: {
    series: { ...well, [`drover_deliveries_total{${commit},status="403"}`]: '0 0 1x60' },
    at: '5m',
    over: '40m',
    labels: { function: 'commit', severity: 'critical' },
    silent: { ...well, [`drover_deliveries_total{${commit},status="200"}`]: '0+9x10' },
  },
  DroverUnreadableEvents: {
    series: { ...well, [`drover_deliveries_total{${commit},status="400"}`]: '_ 2x60' },
    also: {
      series: { ...well, [`drover_deliveries_total{${commit},status="413"}`]: '_ 1x60' },
      labels: { function: 'commit', severity: 'warning' },
    },
    at: '5m',
    over: '40m',
    labels: { function: 'commit', severity: 'warning' },
    silent: { ...well, [`drover_deliveries_total{${commit},status="503"}`]: '_ 2x10' },
  },
  DroverStepsFail: {
    series: { ...well, [`drover_deliveries_total{${verify},status="500"}`]: '0+2x40' },
    at: '30m',
    labels: { function: 'verify', severity: 'warning' },
    // Once, and then it went on.
    silent: { ...well, [`drover_deliveries_total{${verify},status="500"}`]: '0 0 2x40' },
  },
  DroverDeadLetters: {
    series: { ...well, [`drover_dead_letters_total{${recover},task="create.verify"}`]: '_ _ 1x60' },
    at: '5m',
    over: '40m',
    labels: { task: 'create.verify', severity: 'warning' },
    // That a requester is not told has an alarm of its own: nothing is undone.
    silent: { ...well, [`drover_dead_letters_total{${recover},task="notify"}`]: '_ _ 1x10' },
  },
  DroverPushRefused: {
    series: { ...well, [`drover_calls_total{${commit},to="git push",cluster="",outcome="refused"}`]: '0 0 1x60' },
    at: '5m',
    over: '40m',
    labels: { severity: 'critical' },
    // Others were before, which is as it should be.
    silent: { ...well, [`drover_calls_total{${commit},to="git push",cluster="",outcome="raced"}`]: '0 0 1x10' },
  },
  DroverClusterRefusesToken: {
    series: { ...well, [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="401"}`]: '_ 1x60' },
    at: '5m',
    over: '40m',
    labels: { cluster: 'site-b', severity: 'critical' },
    silent: { ...well, [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="404"}`]: '_ 1x10' },
  },
  DroverCallsFail: {
    series: {
      ...well,
      [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="failed"}`]: '0+6x40',
      [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="ok"}`]: '0+2x40',
    },
    at: '35m',
    labels: { to: 'kubernetes', cluster: 'site-b', severity: 'warning' },
    silent: {
      ...well,
      [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="failed"}`]: '0+2x40',
      [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="ok"}`]: '0+6x40',
      // Neither has failed: many commit at once, and a requester's server will not be told.
      [`drover_calls_total{${commit},to="git push",cluster="",outcome="raced"}`]: '0+6x40',
      [`drover_calls_total{pod="notify-1",function="notify",to="callback",cluster="",outcome="403"}`]: '0+6x40',
    },
    // Drover's rights are lost, or it asks too much.
    also: {
      series: {
        ...well,
        [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="403"}`]: '0+3x40',
        [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="429"}`]: '0+3x40',
        [`drover_calls_total{${verify},to="kubernetes",cluster="site-b",outcome="ok"}`]: '0+5x40',
      },
      labels: { to: 'kubernetes', cluster: 'site-b', severity: 'warning' },
    },
  },
  DroverQueueLong: {
    series: { ...well, [`drover_queue_length{${commit}}`]: '201x20' },
    at: '6m',
    labels: { severity: 'warning' },
    silent: { ...well, [`drover_queue_length{${commit}}`]: '200x20' },
  },
  DroverHubNotApplied: {
    series: { ...well, 'argocd_app_info{name="drover-hub",namespace="argocd",sync_status="Unknown"}': '1x30' },
    at: '16m',
    labels: { name: 'drover-hub', sync_status: 'Unknown', severity: 'critical' },
    silent: { ...well, 'argocd_app_info{name="drover-hub",namespace="argocd",sync_status="Synced"}': '1x30' },
    // Argo CD is not scraped, or has no such Application.
    also: {
      series: { ...well, 'argocd_app_info{name="shop-web-01",namespace="argocd",sync_status="Synced"}': '1x30' },
      labels: { name: 'drover-hub', severity: 'critical' },
    },
  },
}
