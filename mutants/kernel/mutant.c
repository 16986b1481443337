// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "mutants/kernel/mutant.h"

#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/spinlock.h>

static unsigned long one_in = 1;
module_param(one_in, ulong, 0644);
MODULE_PARM_DESC(one_in, "one chance in so many fires, on average (1)");
static unsigned long limit;
module_param(limit, ulong, 0644);
MODULE_PARM_DESC(limit, "fires at most so often (0: no limit)");
static unsigned long long seed = 1;
module_param(seed, ullong, 0644);
MODULE_PARM_DESC(seed, "decides which chances fire (1)");
static bool armed = true;
module_param(armed, bool, 0644);
MODULE_PARM_DESC(armed, "n: chances are neither counted nor fire");
static unsigned long chances;
module_param(chances, ulong, 0444);
MODULE_PARM_DESC(chances, "how often the bug could have shown (read only)");
static unsigned long fired;
module_param(fired, ulong, 0444);
MODULE_PARM_DESC(fired, "how often it did (read only)");
static unsigned long long first_boottime_ns;
module_param(first_boottime_ns, ullong, 0444);
MODULE_PARM_DESC(first_boottime_ns, "when it did first, CLOCK_BOOTTIME (read only)");
static unsigned long long first_realtime_ns;
module_param(first_realtime_ns, ullong, 0444);
MODULE_PARM_DESC(first_realtime_ns, "when it did first, CLOCK_REALTIME (read only)");

static DEFINE_SPINLOCK(counters); /* chances, fired, pending, first_*; also taken where interrupts are off */
static unsigned long pending;     /* drawn, and not yet fired or missed */

/* Each bit of the result depends on each of x: the finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
 */
static u64 scatter(u64 x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

bool mutant_draw(void)
{
	unsigned long flags, odds = max(READ_ONCE(one_in), 1ul);
	bool fires;

	if (!READ_ONCE(armed))
		return false;
	spin_lock_irqsave(&counters, flags);
	chances++;
	fires = scatter(seed ^ scatter(chances)) % odds == 0;
	if (limit && fired + pending >= limit)
		fires = false;
	pending += fires;
	spin_unlock_irqrestore(&counters, flags);
	return fires;
}

void mutant_fired(void)
{
	unsigned long flags;

	spin_lock_irqsave(&counters, flags);
	pending--;
	if (!fired++) {
		first_boottime_ns = ktime_get_boottime_ns();
		first_realtime_ns = ktime_get_real_ns();
	}
	spin_unlock_irqrestore(&counters, flags);
}

void mutant_missed(void)
{
	unsigned long flags;

	spin_lock_irqsave(&counters, flags);
	pending--;
	spin_unlock_irqrestore(&counters, flags);
}

/* Not exported since Linux 5.7; a kprobe on it tells where it is. */
static unsigned long (*lookup_name)(const char *name);

static int find_lookup_name(void)
{
	struct kprobe probe = {.symbol_name = "kallsyms_lookup_name"};
	int ret;

	if (lookup_name)
		return 0;
	ret = register_kprobe(&probe);
	if (ret) {
		pr_err("can't find kallsyms_lookup_name: this kernel has no kprobes or no kallsyms (%d)\n",
		       ret);
		return ret;
	}
	lookup_name = (void *)probe.addr;
	unregister_kprobe(&probe);
	return 0;
}

void *mutant_symbol(const char *name)
{
	char qualified[KSYM_NAME_LEN];
	unsigned long address;

	if (find_lookup_name())
		return NULL;
	snprintf(qualified, sizeof(qualified), "btrfs:%s", name);
	address = lookup_name(qualified);
	if (!address)
		address = lookup_name(name);
	if (!address)
		pr_err("this kernel has no function %s; is btrfs loaded?\n", name);
	return (void *)address;
}

/* Everybody but this module is sent to the replacement. */
static void notrace redirect(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *fregs)
{
	struct mutant_hook *hook = container_of(ops, struct mutant_hook, ops);

	if (!within_module(parent_ip, THIS_MODULE))
		instruction_pointer_set(ftrace_get_regs(fregs), (unsigned long)hook->replacement);
}

static int install(struct mutant_hook *hook)
{
	void *address = mutant_symbol(hook->function);
	int ret;

	if (!address)
		return -ENOENT;
	if (hook->original)
		*hook->original = address;
	hook->ops.func = redirect;
	/* RECURSION: redirect() calls nothing that is traced. */
	hook->ops.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_RECURSION;
	ret = ftrace_set_filter_ip(&hook->ops, (unsigned long)address, 0, 0);
	if (!ret)
		ret = register_ftrace_function(&hook->ops);
	if (ret)
		pr_err("can't replace %s (%d); is another mutant or a livepatch loaded?\n", hook->function,
		       ret);
	return ret;
}

int mutant_install(struct mutant_hook *hooks, size_t count)
{
	size_t done;
	int ret = 0;

	for (done = 0; done < count; done++) {
		ret = install(&hooks[done]);
		if (ret)
			break;
	}
	if (!ret) {
		pr_info("loaded: one_in %lu, limit %lu, seed %llu\n", one_in, limit, seed);
		return 0;
	}
	while (done--)
		unregister_ftrace_function(&hooks[done].ops);
	return ret;
}
