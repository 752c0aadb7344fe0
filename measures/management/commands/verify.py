"""Whether anything that was public or done has been changed, dropped or slipped in since."""

from django.core.management import BaseCommand, CommandError

from ...chain import newest_checkpoint, verify


class Command(BaseCommand):
    help = (
        "Compares the record with a checkpoint, one kept elsewhere or the newest one of the "
        "portal itself, and tells what is not as it was. Ends with an error then."
    )

    def add_arguments(self, parser):
        parser.add_argument("--checkpoint", help="a checkpoint as `checkpoint` printed it")

    def handle(self, *args, checkpoint, **options):
        if checkpoint is None and newest_checkpoint() is None:
            raise CommandError("There is no checkpoint yet: run `manage.py checkpoint`.")
        try:
            findings = verify(checkpoint)
        except ValueError:
            raise CommandError("A checkpoint is a moment, a number and a hash.") from None
        for finding in findings:
            self.stdout.write(str(finding))
        said = checkpoint or str(newest_checkpoint())
        if findings:
            raise CommandError(f"{len(findings)} findings against the checkpoint {said}")
        self.stdout.write(f"Everything up to the checkpoint {said} is as it was.")
